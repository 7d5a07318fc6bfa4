// Package dav reads calendars (CalDAV, RFC 4791), address books (CardDAV, RFC
// 6352) and files (WebDAV, RFC 4918) of any server.
//
// It finds the collections of an account by itself (RFC 6764, RFC 5397) or
// where URL templates say, lists them by sync-collection (RFC 6578) or entity
// tags, and reads objects by multiget in batches, each by itself where that
// fails. It sends nothing but OPTIONS, PROPFIND, REPORT, GET and HEAD, and
// sends credentials to no origin that was not configured.
//
// What servers do otherwise than the RFCs is met here: hrefs that are
// unencoded, encoded twice or name another host, weak entity tags, properties
// that are missing or forbidden, XML that cannot be. It knows nothing of what
// is in an object: that is given as the server gives it.
package dav
