// Package verify compares source and destination item by item, after a sync
// or at any time, without downloading a message from the destination but for
// copies that another tool has changed, and those only with Reread.
//
// It lists the source anew, lists every mailbox at the destination, and lets
// the ledger say which belongs to which. Content is compared by the BLAKE3
// hash that the destination keeps of it; with Reread the source's bytes are
// read and hashed again, so that nothing rests on what an earlier run
// believed. It writes nothing on either server.
//
// Calendar objects and cards have no such hash: both sides are read and
// compared by what their user sees, as packages icalendar and vcard tell it
// (objects.go); files by the hash that the destination keeps. What differs
// after its user changed it at the destination is kept, not different
// (objectaccount.go, objectchunk.go).
package verify
