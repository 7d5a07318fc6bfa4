package sandbox

import (
	"sort"
	"strings"
	"time"
)

// email is one message in an account (RFC 8621 §4).
type email struct {
	doc, thread uint32
	hash        [32]byte
	size        int64
	received    int64 // Unix seconds
	mailboxes   map[uint32]bool
	keywords    map[string]bool
	head        header
}

func (e *email) id() uint64 { return uint64(e.thread)<<32 | uint64(e.doc) }

func (e *email) blob(account uint32) blobID {
	return blobID{hash: e.hash, account: account, linked: true, collection: collectionEmail, doc: e.doc}
}

func (a *account) emailState() string { return exactState(a.logs[logEmail].item).String() }

// systemKeywords are spelled in one way whatever the client sends.
var systemKeywords = func() map[string]string {
	set := map[string]string{}
	for _, k := range strings.Fields(`seen draft flagged answered recent important phishing junk notjunk deleted forwarded
		mdnsent autosent canunsubscribe followed hasattachment hasmemo hasnoattachment imported istrusted
		MailFlagBit0 MailFlagBit1 MailFlagBit2 maskedemail memo muted new notify unsubscribed`) {
		set[strings.ToLower(k)] = "$" + k
	}
	return set
}()

const (
	maxKeyword        = 128 // characters; longer ones are cut
	maxCustomKeywords = 99  // distinct per account; further ones are stored and not shown
)

// canonicalKeyword spells a keyword as the server stores it.
func canonicalKeyword(k string) string {
	if len(k) > 1 && (k[0] == '$' || k[0] == '\\') {
		if s, ok := systemKeywords[strings.ToLower(k[1:])]; ok {
			return s
		}
	}
	if r := []rune(k); len(r) > maxKeyword {
		return string(r[:maxKeyword])
	}
	return k
}

// noteKeywords gives new custom keywords their number in the account.
func (a *account) noteKeywords(set map[string]bool) {
	for k := range set {
		if strings.HasPrefix(k, "$") && systemKeywords[strings.ToLower(k[1:])] == k {
			continue
		}
		if _, ok := a.keywords[k]; !ok {
			a.keywords[k] = len(a.keywords)
		}
	}
}

// visibleKeywords leaves out the custom keywords beyond the first 99.
func (a *account) visibleKeywords(e *email) obj {
	out := obj{}
	for k := range e.keywords {
		if n, custom := a.keywords[k]; !custom || n < maxCustomKeywords {
			out[k] = true
		}
	}
	return out
}

var emailProperties = map[string]bool{
	"id": true, "blobId": true, "threadId": true, "mailboxIds": true, "keywords": true, "size": true, "receivedAt": true,
	"messageId": true, "inReplyTo": true, "references": true, "subject": true,
}

func emailGet(c *call) (obj, *methodError) {
	w, fail := c.wants()
	if fail != nil {
		return nil, fail
	}
	for p := range w.properties {
		if _, raw := rawHeader(p); !emailProperties[p] && !raw {
			return nil, invalidArguments("Invalid property %s: the sandbox serves listings only", p)
		}
	}
	a, fail := c.mailAccount()
	if fail != nil {
		return nil, fail
	}
	if w.all {
		for i, doc := range a.documents() {
			if i == c.s.limits.MaxObjectsInGet {
				break
			}
			w.ids = append(w.ids, a.emails[doc].id())
		}
	}
	list := make([]any, 0, len(w.ids))
	for _, id := range w.ids {
		e := a.emails[uint32(id)] // only the low half is looked up
		if e == nil {
			w.missing(id)
			continue
		}
		o := obj{}
		set := func(name string, value func() any) {
			if w.has(name) {
				o[name] = value()
			}
		}
		set("id", func() any { return formatID(id) })
		set("threadId", func() any { return formatID(id >> 32) }) // an echo of the id asked for
		set("blobId", func() any { return e.blob(a.id).String() })
		set("mailboxIds", func() any { return idSet(e.mailboxes) })
		set("keywords", func() any { return a.visibleKeywords(e) })
		set("size", func() any { return e.size })
		set("receivedAt", func() any { return utcDate(e.received) })
		set("messageId", func() any { return orNull(e.head.messageID) })
		set("inReplyTo", func() any { return orNull(e.head.inReplyTo) })
		set("references", func() any { return orNull(e.head.references) })
		set("subject", func() any {
			if !e.head.hasSubject {
				return nil
			}
			return e.head.subject
		})
		if fail := c.addRawHeaders(w, e, o); fail != nil {
			return nil, fail
		}
		list = append(list, o)
	}
	return c.got(w, a.emailState(), list), nil
}

// rawHeader returns the field name of a property "header:NAME" or
// "header:NAME:asRaw" (RFC 8621 §4.1.3). Other forms are not served.
func rawHeader(property string) (name string, ok bool) {
	name, ok = strings.CutPrefix(property, "header:")
	name = strings.TrimSuffix(name, ":asRaw")
	return name, ok && !strings.Contains(name, ":")
}

// addRawHeaders adds the header fields that are asked for as they stand: of
// several the last.
func (c *call) addRawHeaders(w wanted, e *email, o obj) *methodError {
	var raw []byte
	for p := range w.properties {
		name, is := rawHeader(p)
		if !is {
			continue
		}
		if raw == nil {
			var err error
			if raw, _, err = c.s.blobs.get(e.hash); err != nil {
				return errUnavailable
			}
		}
		o["header:"+name] = lastField(raw, name) // as the server: without the form
	}
	return nil
}

func idSet(set map[uint32]bool) obj {
	out := obj{}
	for id := range set {
		out[formatID32(id)] = true
	}
	return out
}

func orNull(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

// utcDate writes a UTCDate (RFC 8620 §1.4).
func utcDate(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05Z") }

func emailChanges(c *call) (obj, *methodError) {
	a, fail := c.mailAccount()
	if fail != nil {
		return nil, fail
	}
	out, _, fail := c.changes(&a.logs[logEmail], false)
	return out, fail
}

// removeEmail drops an email for good.
func (s *Server) removeEmail(a *account, e *email, change uint64) {
	delete(a.emails, e.doc)
	a.used -= e.size
	s.blobs.unlink(e.hash)
	for _, k := range e.threadKeys() {
		a.leaveGroup(k, e)
	}
	a.logs[logEmail].add(change, deleteItem, e.id())
	for _, doc := range sortedKeys(e.mailboxes) {
		a.logs[logEmail].add(change, updateContainerProperty, uint64(doc))
	}
	docs := a.threads[e.thread]
	delete(docs, e.doc)
	if len(docs) == 0 {
		delete(a.threads, e.thread)
		a.logs[logThread].add(change, deleteContainer, uint64(e.thread))
	} else {
		a.logs[logThread].add(change, updateContainer, uint64(e.thread))
	}
}

func threadGet(c *call) (obj, *methodError) {
	w, a, fail := c.wantsOf(c.mailAccount)
	if fail != nil {
		return nil, fail
	}
	if w.all {
		w.take(c.s.limits.MaxObjectsInGet, sortedKeys(a.threads))
	}
	var list []any
	for _, id := range w.ids {
		docs := a.threads[uint32(id)]
		if len(docs) == 0 {
			w.missing(id)
			continue
		}
		members := sortedKeys(docs)
		sort.SliceStable(members, func(i, j int) bool { return a.emails[members[i]].received < a.emails[members[j]].received })
		ids := make([]any, len(members))
		for i, doc := range members {
			ids[i] = emailID(uint32(id), doc)
		}
		list = append(list, w.pick(obj{"id": formatID(id), "emailIds": ids}))
	}
	return c.got(w, exactState(a.logs[logThread].container).String(), list), nil
}

func threadChanges(c *call) (obj, *methodError) {
	a, fail := c.mailAccount()
	if fail != nil {
		return nil, fail
	}
	out, _, fail := c.changes(&a.logs[logThread], true)
	return out, fail
}
