package stalwart

import (
	"encoding/base32"
	"errors"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
)

// alphabet is the server's base 32 for ids and blob ids.
const alphabet = "abcdefghijklmnopqrstuvwxyz792013"

var blobEncoding = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

var errID = errors.New("not an id of this server")

// parseID reads an id: a number in base 32.
func parseID(s string) (uint64, error) {
	if s == "" || len(s) > 13 {
		return 0, errID
	}
	var n uint64
	for i := range len(s) {
		d := strings.IndexByte(alphabet, s[i])
		if d < 0 {
			return 0, errID
		}
		n = n<<5 | uint64(d)
	}
	return n, nil
}

// formatID writes an id without leading zeros; zero is "a".
func formatID(n uint64) string {
	if n == 0 {
		return alphabet[:1]
	}
	var buf [13]byte
	i := len(buf)
	for ; n > 0; n >>= 5 {
		i--
		buf[i] = alphabet[n&31]
	}
	return string(buf[i:])
}

// stableID strips the thread from an email's id. The server makes it of
// thread<<32 | document; a merge of threads changes the first half, while
// lookups use the second alone.
func stableID(id string) (string, error) {
	n, err := parseID(id)
	if err != nil {
		return "", err
	}
	return formatID(n & (1<<32 - 1)), nil
}

// blobHash reads the BLAKE3 out of a blob id: one octet that says linked
// (0x10) or temporary (0x20), then the hash, then what it is linked to. The
// low nibble marks a section of a blob, whose hash would be the whole's.
func blobHash(id string) (destination.Hash, error) {
	var h destination.Hash
	raw, err := blobEncoding.DecodeString(id)
	if err != nil || len(raw) < 1+len(h) || raw[0] != 0x10 && raw[0] != 0x20 {
		return h, errID
	}
	copy(h[:], raw[1:])
	return h, nil
}
