package ldapusers

import (
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/plural"
)

// exchangeAttributes are what Exchange keeps in Active Directory about people
// beside addresses ([MS-ADA1] to [MS-ADA3]).
var exchangeAttributes = []string{"altRecipient", "deliverAndRedirect", "msExchGenericForwardingAddress", "targetAddress", "msExchRecipientTypeDetails", "msExchDelegateListLink"}

// recipientKinds are values of msExchRecipientTypeDetails that are no person's
// mailbox: what it is, and whether anybody's mail is in it.
var recipientKinds = map[string]struct {
	what   string
	system bool
}{
	"4": {"a shared mailbox", false}, "16": {"a room", false}, "32": {"a piece of equipment", false},
	"8192": {"Exchange's own", true}, "16384": {"Exchange's own", true}, "4194304": {"Exchange's own", true}, "8388608": {"Exchange's own", true},
	"16777216": {"a schedule of Exchange's", true}, "536870912": {"a discovery mailbox", true},
	"2147483648": {"in the cloud", true}, "8589934592": {"a room in the cloud", true}, "17179869184": {"equipment in the cloud", true}, "34359738368": {"a shared mailbox in the cloud", true},
}

// excluded is why an entry is not an account that moves, or "".
func excluded(e Entry) string {
	if k := recipientKinds[e.First("msExchRecipientTypeDetails")]; k.system {
		return "it is " + k.what
	}
	return ""
}

// elsewhere: an entry that has an address here and no mailbox: a mail user. It
// is no account, but an address that leads elsewhere.
func elsewhere(e Entry) bool { return e.First("targetAddress") != "" && e.First("homeMDB") == "" }

// primary is the address that is written SMTP:, of proxyAddresses.
func primary(values []string) []string {
	for _, v := range values {
		if address, ok := strings.CutPrefix(v, "SMTP:"); ok {
			return []string{address}
		}
	}
	return nil
}

// storeDefaults: the limits of the mailbox store hold, not those of the entry.
func storeDefaults(e Entry) bool { return strings.EqualFold(e.First("mDBUseDefaults"), "TRUE") }

// plainAddress takes "SMTP:" off a targetAddress; other kinds are none.
func plainAddress(v string) string {
	kind, address, ok := strings.Cut(v, ":")
	switch {
	case !ok:
		return strings.ToLower(v)
	case strings.EqualFold(kind, "smtp"):
		return strings.ToLower(address)
	}
	return ""
}

// policyAttributes limit who may write to a group.
var policyAttributes = []string{"dLMemSubmitPerms", "dLMemRejectPerms", "authOrig", "unauthOrig", "msExchRequireAuthToSendTo", "msExchEnableModeration"}

// policy says how a group is limited, or "".
func policy(e Entry) string {
	var limits []string
	add := func(text string, attributes ...string) {
		if slices.ContainsFunc(attributes, func(a string) bool { return e.First(a) != "" && !strings.EqualFold(e.First(a), "FALSE") }) {
			limits = append(limits, text)
		}
	}
	add("only some may write to it", "dLMemSubmitPerms", "authOrig")
	add("some may not write to it", "dLMemRejectPerms", "unauthOrig")
	add("only the organisation's own people may write to it", "msExchRequireAuthToSendTo")
	add("its messages are approved first", "msExchEnableModeration")
	return strings.Join(limits, ", ")
}

// is reports whether an entry has an object class.
func (e Entry) is(class string) bool {
	return slices.ContainsFunc(e.Get("objectClass"), func(c string) bool { return strings.EqualFold(c, class) })
}

// kind tells of mailboxes that are nobody's own who may open them.
func (r *listReader) kind(e Entry, address, where string) {
	k, ok := recipientKinds[e.First("msExchRecipientTypeDetails")]
	if !ok || k.system {
		return
	}
	who := ""
	if n := len(e.Get("msExchDelegateListLink")); n > 0 {
		who = fmt.Sprintf("; %d %s it in their programs", n, plural.Of(n, "person has", "people have"))
	}
	r.note("shared-mailbox", address, where, "is "+k.what+" and nobody's own"+who, "give it to its people at the destination once its mail is there: mailhaul share, or a share of its mailboxes")
}

// dynamic are the members that a list's filter finds today
// (msExchDynamicDLFilter).
func (r *listReader) dynamic(e Entry, s Settings, address, where string) (members []string, err error) {
	search := Search{Base: e.First("msExchDynamicDLBaseDN"), Scope: Subtree, Filter: e.First("msExchDynamicDLFilter"), Attributes: []string{"mail", "proxyAddresses", "targetAddress", "msExchRecipientTypeDetails"}}
	if search.Base == "" {
		search.Base = s.Base
	}
	if search.Filter == "" {
		r.note("dynamic-list", address, where, "its members are found by a filter that is not there", "make a list of them at the destination")
		return nil, nil
	}
	for m, err := range r.conn.Search(r.ctx, search) {
		if err != nil {
			return nil, err
		}
		if a := recipient(m); excluded(m) == "" && a != "" && a != address && !slices.Contains(members, a) {
			members = append(members, a)
		}
	}
	r.note("dynamic-list", address, where, fmt.Sprintf("its members are found by a filter, %s; the list has the %d of today", search.Filter, len(members)), "add who joins later by hand")
	return members, nil
}

// recipient is where mail to an entry goes: elsewhere, or its own address.
func recipient(e Entry) string {
	if t := plainAddress(e.First("targetAddress")); t != "" {
		return t
	}
	if p := primary(e.Get("proxyAddresses")); p != nil {
		return strings.ToLower(p[0])
	}
	return strings.ToLower(e.First("mail"))
}
