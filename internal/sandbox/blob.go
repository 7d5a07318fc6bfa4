package sandbox

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// readBlob returns a blob, or the section that its id names, if the login may
// read it. A link record must exist for exactly this id.
func (s *Server) readBlob(tok token, id blobID) ([]byte, bool, error) {
	if !s.mayRead(tok, id) {
		return nil, false, nil
	}
	data, ok, err := s.blobs.get(id.hash)
	if !ok || err != nil {
		return nil, ok, err
	}
	if id.section != nil {
		data = slice(data, id.section.offset, id.section.size)
	}
	return data, true, nil
}

func (s *Server) mayRead(tok token, id blobID) bool {
	if id.account != tok.account && !tok.can("impersonate") && !tok.groups[id.account] {
		return false
	}
	if !id.linked {
		return s.blobs.hasTemporary(id, s.clock())
	}
	a := s.accounts[id.account]
	if a == nil {
		return false
	}
	switch id.collection {
	case collectionEmail:
		e := a.emails[id.doc]
		return e != nil && e.hash == id.hash
	case collectionSieve:
		sc := a.scripts[id.doc]
		return sc != nil && sc.hash == id.hash
	case collectionFile:
		n := a.files.nodes[id.doc]
		return n != nil && !n.folder && n.hash == id.hash
	}
	return false
}

func slice(data []byte, offset, size uint64) []byte {
	n := uint64(len(data))
	start := min(offset, n)
	end := n
	if size < n-start {
		end = start + size
	}
	return data[start:end]
}

// overUploadQuota counts an upload against the window of the account that is
// uploaded to. seconds is what is left of the window.
func (s *Server) overUploadQuota(tok token, account uint32, size int) (over bool, seconds int64) {
	if tok.can("unlimitedUploads") {
		return false, 0
	}
	w := s.quotas[account]
	if w == nil {
		w = &window{}
		s.quotas[account] = w
	}
	files, octets, left := w.use(s.clock(), s.limits.UploadTTL, int64(size))
	return files > s.limits.UploadQuotaFiles || octets > s.limits.UploadQuotaBytes, left
}

func (s *Server) quotaText() string {
	return fmt.Sprintf("You have exceeded the blob upload quota of %d files or %d bytes.", s.limits.UploadQuotaFiles, s.limits.UploadQuotaBytes)
}

// upload stores the body of an HTTP upload (RFC 8620 §6.1). Nobody checks
// that the account is the login's, as on the server.
func (s *Server) upload(tok token, account uint32, kind string, body []byte) (obj, *httpError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if over, left := s.overUploadQuota(tok, account, len(body)); over {
		e := blank(429, "Quota exceeded", s.quotaText())
		e.retryAfter = left
		e.policy = fmt.Sprintf(`"blob-upload-files";q=%d, "blob-upload-bytes";q=%d;qu="content-bytes"`, s.limits.UploadQuotaFiles, s.limits.UploadQuotaBytes)
		return nil, e
	}
	id, err := s.blobs.keepTemporary(body, account, s.clock().Add(s.limits.UploadTTL))
	if err != nil {
		return nil, blank(500, "Internal Server Error", err.Error())
	}
	if kind == "" {
		kind = "application/octet-stream"
	}
	return obj{"accountId": formatID32(account), "blobId": id.String(), "type": kind, "size": len(body)}, nil
}

// enterUpload takes a place among the login's uploads in flight.
func (s *Server) enterUpload(tok token) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := s.limits.MaxConcurrentUpload
	if tok.can("unlimitedRequests") {
		limit = -1
	}
	return s.uploads.enter(tok.account, limit)
}

func (s *Server) leaveUpload(tok token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uploads.leave(tok.account)
}

// blobUpload stores several blobs (RFC 9404 §4.1).
func blobUpload(c *call) (obj, *methodError) {
	create := c.args.get("create")
	if create.kind != kindObject {
		return nil, invalidArguments("invalid type: expected a map")
	}
	if len(create.members) > c.s.limits.MaxObjectsInSet {
		return nil, errRequestTooLarge
	}
	created, notCreated := obj{}, obj{}
	for _, m := range create.members {
		data, bad := c.gather(m.value, created)
		if bad == nil && len(data) == 0 {
			bad = invalidProperty("Must specify at least one valid DataSourceObject.")
		}
		if bad == nil {
			if over, _ := c.s.overUploadQuota(c.tok, c.account, len(data)); over {
				bad = newSetError("overQuota", c.s.quotaText())
			}
		}
		if bad != nil {
			notCreated[m.name] = bad
			continue
		}
		if fail := c.step(); fail != nil {
			return nil, fail
		}
		id, err := c.s.blobs.keepTemporary(data, c.account, c.s.clock().Add(c.s.limits.UploadTTL))
		if err != nil {
			return nil, errUnavailable
		}
		o := obj{"id": id.String(), "size": len(data)}
		if t := m.value.get("type"); t.kind == kindString {
			o["type"] = t.text
		}
		created[m.name] = o
	}
	out := obj{"accountId": formatID32(c.account)}
	if len(created) > 0 {
		out["created"] = created
	}
	if len(notCreated) > 0 {
		out["notCreated"] = notCreated
	}
	return out, nil
}

// gather joins the data sources of one blob.
func (c *call) gather(v value, created obj) ([]byte, setError) {
	var data []byte
	for _, src := range v.get("data").list {
		part, bad := c.source(src, created)
		if bad != nil {
			return nil, bad
		}
		if int64(len(data)+len(part)) >= c.s.limits.MaxSizeUpload {
			return nil, newSetError("tooLarge", fmt.Sprintf("Upload size exceeds maximum of %d bytes.", c.s.limits.MaxSizeUpload))
		}
		data = append(data, part...)
	}
	return data, nil
}

func (c *call) source(src value, created obj) ([]byte, setError) {
	if t := src.get("data:asText"); t.kind == kindString {
		return []byte(t.text), nil
	}
	if t := src.get("data:asBase64"); t.kind == kindString {
		if data, err := base64.StdEncoding.DecodeString(t.text); err == nil {
			return data, nil
		}
		return nil, invalidProperty("Invalid DataSourceObject.")
	}
	text := src.get("blobId").text
	if text == "" {
		return nil, invalidProperty("Invalid DataSourceObject.")
	}
	if ref, is := strings.CutPrefix(text, "#"); is {
		o, ok := created[ref].(obj)
		if !ok {
			id, known := c.created[ref]
			if !known {
				return nil, newSetError("notFound", fmt.Sprintf("Id reference %q not found.", ref))
			}
			text = id
		} else {
			text, _ = o["id"].(string)
		}
	}
	id, err := parseBlobID(text)
	if err != nil {
		return nil, invalidProperty(fmt.Sprintf("Invalid blobId %s.", text))
	}
	if !c.s.mayRead(c.tok, id) {
		return nil, newSetError("forbidden", fmt.Sprintf("You do not have access to blobId %s.", text))
	}
	data, ok, err := c.s.readBlob(c.tok, id)
	if err != nil || !ok {
		return nil, newSetError("blobNotFound", fmt.Sprintf("BlobId %s not found.", text))
	}
	offset, _ := src.get("offset").integer()
	length, limited := src.get("length").integer()
	switch {
	case offset < 0 || length < 0:
		return nil, invalidProperty("Invalid DataSourceObject.")
	case !limited && offset > 0 && id.section == nil:
		// The server's range ends before it begins: an empty blob.
		return nil, nil
	case !limited:
		return slice(data, uint64(offset), math.MaxUint64), nil
	}
	return slice(data, uint64(offset), uint64(length)), nil
}

// blobGet serves data and digests (RFC 9404 §4.2).
func blobGet(c *call) (obj, *methodError) {
	ids := c.args.get("ids")
	if len(ids.list) > c.s.limits.MaxObjectsInGet {
		return nil, errRequestTooLarge
	}
	want := []string{"data", "size"}
	if p := c.args.get("properties"); p.isSet() {
		want = nil
		for _, v := range p.list {
			want = append(want, v.text)
		}
	}
	offset, _ := c.args.get("offset").integer()
	length, limited := c.args.get("length").integer()
	if offset < 0 || length < 0 {
		return nil, invalidArguments("invalid offset or length")
	}
	list, notFound := []any{}, []any{}
	for _, v := range ids.list {
		id, err := parseBlobID(v.text)
		var whole []byte
		ok := err == nil
		if ok {
			whole, ok, err = c.s.readBlob(c.tok, id)
		}
		if !ok || err != nil {
			notFound = append(notFound, v.text)
			continue
		}
		size := uint64(math.MaxUint64)
		if limited {
			size = uint64(length)
		}
		data := slice(whole, uint64(offset), size)
		o := obj{"id": v.text}
		if uint64(offset) > uint64(len(whole)) || limited && uint64(offset)+size > uint64(len(whole)) {
			o["isTruncated"] = true
		}
		for _, p := range want {
			describe(o, p, data, len(whole))
		}
		list = append(list, o)
	}
	return obj{"accountId": formatID32(c.account), "list": list, "notFound": notFound}, nil
}

func describe(o obj, property string, data []byte, size int) {
	switch property {
	case "size":
		o["size"] = size
	case "data:asText":
		if utf8.Valid(data) {
			o[property] = string(data)
		} else {
			o["isEncodingProblem"] = true
		}
	case "data:asBase64":
		o[property] = base64.StdEncoding.EncodeToString(data)
	case "data":
		if utf8.Valid(data) {
			o["data:asText"] = string(data)
		} else {
			o["isEncodingProblem"] = true
			o["data:asBase64"] = base64.StdEncoding.EncodeToString(data)
		}
	case "digest:sha":
		h := sha1.Sum(data)
		o[property] = base64.StdEncoding.EncodeToString(h[:])
	case "digest:sha-256":
		h := sha256.Sum256(data)
		o[property] = base64.StdEncoding.EncodeToString(h[:])
	case "digest:sha-512":
		h := sha512.Sum512(data)
		o[property] = base64.StdEncoding.EncodeToString(h[:])
	}
}
