package imap

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/model"
)

// A Courier shows a list by GETACL without groups, and without the rights t, e
// and x unless all three are there. LIST (ACL), of a draft that became no
// standard, shows it as it is (courier-libs imap/imapd.C, list_acl). The library
// does not know that command: it goes in the dress of GETACL.

const courierGetACL = `LIST (ACL) "" `

// courierACL asks for a mailbox's list; nil where this account is not told.
func (st *Store) courierACL(mailbox string) ([]model.Grant, error) {
	whole := st.ses.caps.Has(capUnionACL) && !strings.ContainsAny(mailbox, "*%") // which LIST takes for patterns
	st.ses.guid.acl.Store(whole)
	acl, err := st.ses.GetACL(mailbox).Wait()
	st.ses.guid.acl.Store(false)
	if no, ok := errors.AsType[*imap.Error](err); ok && no.Type == imap.StatusResponseTypeNo {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return courierGrants(acl), nil
}

// courierGrants reads a list as the disk has it, without what every list holds:
// the rights of the owner and of administrators. c is what k is in RFC 4314, and
// d stands for t, e and x.
func courierGrants(acl *imapclient.GetACLData) []model.Grant {
	var out []model.Grant
	for id, rights := range acl.Rights {
		identifier, negative := strings.CutPrefix(string(id), "-")
		if identifier = strings.TrimPrefix(identifier, "user="); identifier == "owner" || identifier == "administrators" || rights.String() == "" {
			continue
		}
		if identifier == "anonymous" {
			identifier = "anyone"
		}
		letters := strings.NewReplacer("c", "k", "d", "tex").Replace(rights.String())
		out = append(out, model.Grant{Identifier: identifier, Rights: model.ParseRights(letters), Negative: negative})
	}
	slices.SortFunc(out, model.Grant.Compare)
	return out
}

// dressACL shows the answer `* LIST (…) "." "INBOX.x" (("ACL" (("id" "rights")…)))`
// as `* ACL "INBOX.x" "id" "rights" …`.
func dressACL(line []byte) []byte {
	list, ok := bytes.CutPrefix(line, []byte("* LIST ("))
	_, named, ok2 := bytes.Cut(list, []byte(`) "." `))
	name, entries, ok3 := bytes.Cut(named, []byte(` (("ACL" (`))
	if !ok || !ok2 || !ok3 {
		return line
	}
	out := append([]byte("* ACL "), name...)
	entries = bytes.TrimRight(entries, "\r\n")
	quoted := false
	for i := 0; i < len(entries); i++ {
		switch ch := entries[i]; {
		case quoted && ch == '\\' && i+1 < len(entries):
			out = append(out, ch, entries[i+1])
			i++
		case ch == '"':
			if quoted = !quoted; quoted {
				out = append(out, ' ')
			}
			out = append(out, ch)
		case quoted:
			out = append(out, ch)
		}
	}
	if quoted {
		return line // it goes on elsewhere
	}
	return append(out, "\r\n"...)
}
