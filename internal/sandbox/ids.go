package sandbox

import (
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strings"
)

// alphabet is the server's base 32, for ids and for blob ids.
const alphabet = "abcdefghijklmnopqrstuvwxyz792013"

var base32Custom = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// singletonID is the number behind the id "singleton".
const singletonID = 20080258862541

var errBadID = errors.New("not an id of this server")

// formatID writes an id: the number in base 32 without leading zeros.
func formatID(n uint64) string {
	if n == singletonID {
		return "singleton"
	}
	if n == 0 {
		return "a"
	}
	var buf [13]byte
	i := len(buf)
	for ; n > 0; n >>= 5 {
		i--
		buf[i] = alphabet[n&31]
	}
	return string(buf[i:])
}

func formatID32(n uint32) string { return formatID(uint64(n)) }

// parseID reads an id. Leading zeros ("a") are tolerated, as on the server.
func parseID(s string) (uint64, error) {
	if s == "" || len(s) > 13 {
		return 0, errBadID
	}
	if s == "singleton" {
		return singletonID, nil
	}
	var n uint64
	for i := 0; i < len(s); i++ {
		d := strings.IndexByte(alphabet, s[i])
		if d < 0 {
			return 0, errBadID
		}
		n = n<<5 | uint64(d)
	}
	return n, nil
}

// emailID joins a thread and a document, RFC 8621 §4.1.1's Email id here.
func emailID(thread, doc uint32) string {
	return formatID(uint64(thread)<<32 | uint64(doc))
}

// Collections as numbered inside linked blob ids.
const (
	collectionEmail = 0
	collectionSieve = 5
	collectionFile  = 12
)

// blobID is what a blobId says: the hash of the whole blob and the one link
// record that grants access to it.
type blobID struct {
	hash       [32]byte
	account    uint32
	linked     bool
	collection byte   // if linked
	doc        uint32 // if linked
	expires    uint64 // Unix seconds, if not linked
	section    *section
}

// section is a range inside a blob.
type section struct {
	encoding     byte
	offset, size uint64
}

const (
	markLinked    = 0x10
	markTemporary = 0x20
)

func (b blobID) String() string {
	buf := make([]byte, 0, 64)
	mark := byte(markTemporary)
	if b.linked {
		mark = markLinked
	}
	if b.section != nil {
		mark |= b.section.encoding + 1
	}
	buf = append(buf, mark)
	buf = append(buf, b.hash[:]...)
	buf = binary.AppendUvarint(buf, uint64(b.account))
	if b.linked {
		buf = append(buf, b.collection)
		buf = binary.AppendUvarint(buf, uint64(b.doc))
	} else {
		buf = binary.AppendUvarint(buf, b.expires)
	}
	if b.section != nil {
		buf = binary.AppendUvarint(buf, b.section.offset)
		buf = binary.AppendUvarint(buf, b.section.size)
	}
	return base32Custom.EncodeToString(buf)
}

// parseBlobID reads a blobId; it does not say whether the blob exists.
func parseBlobID(s string) (blobID, error) {
	var b blobID
	raw, err := base32Custom.DecodeString(s)
	if err != nil || len(raw) < 35 {
		return b, errBadID
	}
	mark := raw[0]
	copy(b.hash[:], raw[1:33])
	rest := raw[33:]
	next := func() uint64 {
		n, size := binary.Uvarint(rest)
		if size <= 0 {
			err = errBadID
			return 0
		}
		rest = rest[size:]
		return n
	}
	account := next()
	if account > 1<<32-1 {
		return b, errBadID
	}
	b.account = uint32(account)
	if mark&markLinked != 0 {
		b.linked = true
		if len(rest) == 0 {
			return b, errBadID
		}
		b.collection, rest = rest[0], rest[1:]
		doc := next()
		if doc > 1<<32-1 {
			return b, errBadID
		}
		b.doc = uint32(doc)
	} else {
		b.expires = next()
	}
	if enc := mark & 0x0f; enc != 0 {
		b.section = &section{encoding: enc - 1}
		b.section.offset = next()
		b.section.size = next()
	}
	return b, err
}
