package sample

import (
	"bytes"
	"io"
	"iter"
	"slices"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// Account is one person's account.
type Account struct {
	// Login is the user name and the address, "anna@acme.test".
	Login string
	// Name is the person's name, in the person's own script.
	Name string
	// Password is the clear text, Hash what the server stores, in Dovecot's
	// notation "{SCHEME}…". Some schemes can be carried to Stalwart, some not.
	Password, Hash string
	// Disabled accounts cannot log in with Password; see Options.NoLogin.
	Disabled bool
	// Quota in octets, 0 for none.
	Quota int64
	// Mailboxes, the inbox first, parents before children.
	Mailboxes []*Mailbox
	Scripts   []model.Script
	// Missing are subscriptions of mailboxes that do not exist.
	Missing [][]string

	number int
	lang   *language
	weight int
}

// Mailbox returns the mailbox with this path, or nil.
func (a *Account) Mailbox(path ...string) *Mailbox {
	for _, m := range a.Mailboxes {
		if slices.Equal(m.Path, path) {
			return m
		}
	}
	return nil
}

// Mailbox is one mailbox of an account.
type Mailbox struct {
	// Path is the hierarchy in UTF-8; the inbox is ["INBOX"].
	Path []string
	// Role is what a person would take the mailbox for. Nothing on disk tells
	// it but the name.
	Role       model.Role
	Subscribed bool
	// Container marks a level that exists only in the names below it.
	Container bool
	// UIDValidity and UIDNext (RFC 9051 §2.3.1.1); UIDNext may lie further
	// above the last UID than by one.
	UIDValidity, UIDNext uint32
	// GUID is the mailbox GUID, 32 hexadecimal digits.
	GUID string

	org      *Organisation
	acc      *Account
	number   int
	spec     box
	keywords []string // by letter
	slots    []slot
}

// Len is the number of messages.
func (m *Mailbox) Len() int { return len(m.slots) }

// Messages makes the messages in ascending order of UID.
func (m *Mailbox) Messages() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for i := range m.slots {
			if !yield(m.message(i)) {
				return
			}
		}
	}
}

// Message is one message of a mailbox.
type Message struct {
	UID uint32
	// GUID is what Dovecot shows as X-GUID: the name of the file up to the
	// flags, unless dovecot-uidlist says otherwise. Copies share it.
	GUID     string
	Flags    model.Flags
	Received time.Time
	// Content is the message as IMAP shows it, with CRLF; nil for the large
	// one, which only Open gives.
	Content []byte
	// Size is the number of octets of Content, or of what Open gives.
	Size int64
	// Oddity names what is odd about the message, or is empty.
	Oddity string

	base       string // file name without flags
	letters    string // keywords as letters
	fresh      bool   // still in new/
	ownGUID    bool   // named in dovecot-uidlist
	shared     bool   // copies are links to one file
	stored     []byte // as on disk; nil for the large one
	storedSize int64
	large      *large
}

// Open reads the message as IMAP shows it, with CRLF.
func (m *Message) Open() io.Reader {
	if m.large != nil {
		return m.large.open("\r\n")
	}
	return bytes.NewReader(m.Content)
}

// OpenStored reads the message as it lies on disk: with LF, with CRLF, or
// with both.
func (m *Message) OpenStored() io.Reader {
	if m.large != nil {
		return m.large.open("\n")
	}
	return bytes.NewReader(m.stored)
}
