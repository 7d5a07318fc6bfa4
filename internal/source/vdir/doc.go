// Package vdir reads calendars, address books and files from disk: folders of
// .ics and .vcf files as vdirsyncer, khal, Radicale's exports and others keep
// them (a collection is a folder, its name and colour are files in it), single
// exports with many events or cards in a file, and plain trees of folders.
//
// An export is cut into one object for each UID, with the time zones that it
// names; nothing else is changed, and a file of a folder is one object,
// whatever is in it. Users own these folders: what they link to outside of
// them is not followed.
package vdir
