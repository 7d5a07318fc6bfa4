// Package engagement opens what an engagement file names: the accounts, the
// source, the destination, the ledger. It is the one place where the
// configuration meets implementations, and the only package that knows all
// of them; it does none of their work. For init, which has no file yet, it asks
// the mail servers of this host about themselves (discover.go).
package engagement
