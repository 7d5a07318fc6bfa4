// Package stored shows a message that a mail server keeps on its disk as the
// server would show it over IMAP: unpacked and with CRLF at the end of every
// line. How it is packed is told by its first octets alone.
//
// It serves all formats that keep messages in files (Maildir, sdbox, mdbox)
// and knows none of them.
package stored
