package imap

import (
	"strings"

	"github.com/emersion/go-imap/v2"

	"mailhaul.org/mailhaul/internal/model"
)

// Courier differs from other servers where it matters to a reader:
//
//   - EXAMINE shows messages that it has not numbered yet under UIDs, and a
//     mailbox that nobody has opened yet under a UIDVALIDITY, that it makes up
//     anew each time; a message that arrives or goes shifts them. Only SELECT
//     numbers messages for good, as for any other client. So mailboxes are
//     selected. Nothing else comes of that but that \Recent goes, which
//     EXAMINE makes no sure thing of either: it, too, moves new mail into cur.
//   - STATUS tells of such a mailbox the same made-up UIDVALIDITY.
//   - It answers NO, and not BAD, to what it does not understand, and counts it.
//
// courier-libs imap/imapscanclient.C, do_imapscan_maildir2.

// capUnionACL is offered by nobody else, if ACLs are not switched off.
const capUnionACL = "ACL2=UNION"

// courierShared is a namespace that every Courier has, and nobody else.
const courierShared = "#shared."

// courierUsers: RFC 2342 has another place for what it shows there, the
// mailboxes of users.
var courierUsers = []imap.NamespaceDescriptor{{Prefix: courierShared, Delim: '.'}}

// courierFinding is what an administrator should know before the run.
var courierFinding = model.Finding{Level: model.LevelWarning, Subject: "source: Courier", Message: "logins let Courier purge old mail from the Trash, after 7 days unless IMAP_EMPTYTRASH says otherwise",
	Remedy: "read the disk (kind: courier with source.maildir or a userdb), or set IMAP_EMPTYTRASH= in Courier's file imapd first"}

// knowCourier notes whether the server is one.
func (s *Source) knowCourier(caps imap.CapSet, foreign []imap.NamespaceDescriptor) {
	if caps.Has(capUnionACL) {
		s.courier.Store(true)
	}
	for _, n := range foreign {
		if strings.HasPrefix(n.Prefix, courierShared) {
			s.courier.Store(true)
		}
	}
}

// status is what a mailbox holds, asked in the way that the server answers
// truthfully.
func (st *Store) status(mailbox string, options *imap.StatusOptions) (*imap.StatusData, error) {
	if !st.src.courier.Load() {
		return st.ses.Status(mailbox, options).Wait()
	}
	data, err := st.examine(mailbox)
	if err != nil {
		return nil, err
	}
	return &imap.StatusData{Mailbox: mailbox, NumMessages: &data.NumMessages, UIDValidity: data.UIDValidity, UIDNext: data.UIDNext}, nil
}
