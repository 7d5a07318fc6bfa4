// Package verify compares source and destination item by item, after a sync
// or at any time, without downloading a message from the destination but for
// copies that another tool has changed, and those only with Reread.
//
// It lists the source anew, lists every mailbox at the destination, and lets
// the ledger say which belongs to which. Content is compared by the BLAKE3
// hash that the destination keeps of it; with Reread the source's bytes are
// read and hashed again, so that nothing rests on what an earlier run
// believed. It writes nothing on either server.
package verify
