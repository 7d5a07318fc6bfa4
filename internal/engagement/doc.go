// Package engagement opens what an engagement file names: the accounts, the
// source, the destination, the ledger. It is the one place where the
// configuration meets implementations, and the only package that knows all
// of them; it does none of their work.
package engagement
