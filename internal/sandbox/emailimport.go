package sandbox

import (
	"fmt"
	"time"
)

// emailImport files uploaded messages (RFC 8621 §4.8). Each email is a
// transaction of its own: a failure of the store in the middle is a method
// error after which the earlier emails are there.
func emailImport(c *call) (obj, *methodError) {
	emails := c.args.get("emails")
	if emails.isSet() && emails.kind != kindObject {
		return nil, invalidArguments("invalid type: expected a map")
	}
	if fail := checkImport(emails); fail != nil {
		return nil, fail
	}
	a, fail := c.mailAccount()
	if fail != nil {
		return nil, fail
	}
	old := a.emailState()
	if fail := c.assertState(old); fail != nil {
		return nil, fail
	}
	created, notCreated := obj{}, obj{}
	var merges [][]uint32
	defer func() {
		// The server merges in the background, whatever became of the call.
		for _, m := range merges {
			a.mergeThreads(m)
		}
	}()
	for _, m := range emails.members {
		e, bad, fail := c.prepare(a, m.value)
		if fail != nil {
			return nil, fail
		}
		if bad != nil {
			notCreated[m.name] = bad
			continue
		}
		if fail := c.step(); fail != nil {
			return nil, fail
		}
		if merge := c.s.store(a, e); len(merge) > 1 {
			merges = append(merges, merge)
		}
		created[m.name] = obj{"id": formatID(e.id()), "threadId": formatID32(e.thread), "blobId": e.blob(a.id).String(), "size": e.size}
	}
	out := obj{"accountId": formatID32(a.id), "oldState": old, "newState": a.emailState()}
	if len(created) > 0 {
		out["created"] = created
	}
	if len(notCreated) > 0 {
		out["notCreated"] = notCreated
	}
	return out, nil
}

// checkImport refuses what the server cannot even read, before anything is
// stored.
func checkImport(emails value) *methodError {
	for _, m := range emails.members {
		if m.value.kind != kindObject {
			return invalidArguments("invalid type: expected a map")
		}
		if r := m.value.get("receivedAt"); r.isSet() {
			if _, err := parseUTCDate(r); err != nil {
				return invalidArguments("invalid JMAP UTCDate")
			}
		}
		if b := m.value.get("blobId"); b.kind != kindString {
			return invalidArguments("invalid type: expected a blobId")
		}
	}
	return nil
}

func parseUTCDate(v value) (time.Time, error) {
	if v.kind != kindString || v.escaped {
		return time.Time{}, errBadID
	}
	return time.Parse(time.RFC3339, v.text)
}

// prepare checks one email of an import and reads its message.
func (c *call) prepare(a *account, v value) (*email, setError, *methodError) {
	e := &email{mailboxes: map[uint32]bool{}, keywords: map[string]bool{}}
	for _, m := range v.get("mailboxIds").members {
		// What cannot be an id is dropped silently.
		if id, err := parseID(m.name); err == nil && m.value.bool {
			e.mailboxes[uint32(id)] = true
		}
	}
	if len(e.mailboxes) == 0 {
		return nil, invalidProperty("Message must belong to at least one mailbox.", "mailboxIds"), nil
	}
	for _, doc := range sortedKeys(e.mailboxes) {
		if a.mailboxes[doc] == nil {
			return nil, invalidProperty(fmt.Sprintf("Mailbox %s does not exist.", formatID32(doc)), "mailboxIds"), nil
		}
	}
	text := v.get("blobId").text
	id, err := parseBlobID(text)
	if err != nil {
		return nil, invalidProperty("Invalid blob id.", "blobId"), nil
	}
	raw, ok, err := c.s.readBlob(c.tok, id)
	if err != nil {
		return nil, nil, errUnavailable
	}
	if !ok {
		return nil, newSetError("blobNotFound", fmt.Sprintf("BlobId %s not found.", text)), nil
	}
	e.head = parseHeader(raw)
	if !e.head.known {
		return nil, newSetError("invalidEmail", "Blob does not contain a valid RFC 5322 message."), nil
	}
	e.hash, e.size = id.hash, int64(len(raw))
	if max := a.quotas["maxDiskQuota"]; max > 0 && a.used+e.size > max {
		return nil, newSetError("overQuota", "You have exceeded your disk quota."), nil
	}
	for _, k := range v.get("keywords").members {
		if k.value.bool {
			e.keywords[canonicalKeyword(k.name)] = true
		}
	}
	switch r := v.get("receivedAt"); {
	case r.isSet():
		t, _ := parseUTCDate(r)
		// The server keeps 63 bits: what is before 1970 becomes nonsense.
		e.received = t.Unix() & (1<<63 - 1)
	case e.head.hasDate:
		e.received = e.head.received.Unix()
	default:
		e.received = c.s.clock().Unix()
	}
	return e, nil, nil
}

// store commits an email and returns the threads that it joins, if several.
func (s *Server) store(a *account, e *email) []uint32 {
	change := a.nextChange()
	a.nextMail++
	e.doc = a.nextMail
	thread, found, all := a.findThread(e.threadKeys())
	if found {
		e.thread = thread
		a.logs[logThread].add(change, updateContainer, uint64(thread))
	} else {
		e.thread = e.doc
		a.logs[logThread].add(change, insertContainer, uint64(e.thread))
	}
	a.emails[e.doc] = e
	a.order = append(a.order, e.doc)
	a.used += e.size
	s.blobs.link(e.hash)
	a.noteKeywords(e.keywords)
	a.fileInThread(e)
	a.logs[logEmail].add(change, insertItem, e.id())
	for _, doc := range sortedKeys(e.mailboxes) {
		a.logs[logEmail].add(change, updateContainerProperty, uint64(doc))
	}
	return all
}
