package maildir

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/model"
)

// A Maildir tells that something changed in a mailbox, not what. So that one
// flag in hundreds of thousands of messages does not cost a look at each file
// and at each row of the ledger, a cursor holds a digest of each section of
// UIDs, made of what the directories and the list of UIDs show without looking
// at a file. Only sections whose digest differs are listed.

const (
	// sectioned is from how many messages on that is worth it.
	sectioned = 2000
	// A mailbox has at most so many sections when it is listed whole, and grows
	// to mostSections before it is again. Each takes 11 octets of the cursor.
	firstSections = 512
	mostSections  = 2048
	leastWidth    = 64
)

// digest stands for the messages of a section; zero: there are none.
type digest [8]byte

// sections are the digests of a mailbox.
type sections struct {
	validity uint32
	width    uint64   // in UIDs
	digests  []digest // the first one that of messages without a UID of their own
}

// of is the section of a UID.
func (s *sections) of(uid uint64) int {
	if uid >= model.ProvisionalUID {
		return 0
	}
	return 1 + int(uid/s.width)
}

// uids is the range of UIDs of a section.
func (s *sections) uids(n int) model.UIDRange {
	if n == 0 {
		return model.UIDRange{First: model.ProvisionalUID, Last: 1<<63 - 1}
	}
	first := uint64(n-1) * s.width
	return model.UIDRange{First: first, Last: first + s.width - 1}
}

// sections digests the messages of an index, if there are at least so many, in
// the sections of since where that is of use.
func (x *index) sections(least int, since *sections) (*sections, error) {
	if x.len() < least {
		return nil, nil
	}
	top := uint64(0)
	if n := x.listed(); n > 0 {
		var err error
		if top, err = x.uid(n - 1); err != nil {
			return nil, err
		}
	}
	s := &sections{validity: x.validity, width: leastWidth}
	if since != nil && since.validity == x.validity && top/since.width < mostSections {
		s.width = since.width
	} else {
		for top/s.width >= firstSections {
			s.width *= 2
		}
	}
	s.digests = make([]digest, s.of(top)+1)
	// What letters stand for may change for all at once.
	seed := strings.Join(x.names[:], "\x00")
	h, now := blake3.New(), -1
	end := func() {
		if now >= 0 {
			var sum [32]byte
			h.Sum(sum[:0])
			copy(s.digests[now][:], sum[:])
		}
	}
	var row []byte
	for i := range x.len() {
		m, err := x.message(i)
		if err != nil {
			return nil, err
		}
		if n := s.of(m.uid); n != now {
			end()
			now = n
			h.Reset()
			_, _ = h.WriteString(seed)
		}
		row = binary.AppendUvarint(row[:0], m.uid)
		row = append(append(row, m.name...), 0)
		row = append(append(row, m.guid...), 0)
		row = binary.AppendVarint(row, m.size)
		for _, words := range [][]string{x.more[m.uid], m.labels} {
			for _, w := range words {
				row = append(append(row, w...), 0)
			}
			row = append(row, 1)
		}
		_, _ = h.Write(row)
	}
	end()
	return s, nil
}

// changed are the sections that differ from those of since; all is set where
// the two cannot be compared.
func (s *sections) changed(since *sections) (ranges []model.UIDRange, all bool) {
	if s == nil || since == nil || s.width != since.width || s.validity != since.validity {
		return nil, true
	}
	// In order of UID: messages without one of their own come last.
	for n := 1; n <= max(len(s.digests), len(since.digests)); n++ {
		k := n % max(len(s.digests), len(since.digests))
		if s.digest(k) == since.digest(k) {
			continue
		}
		r := s.uids(k)
		if last := len(ranges) - 1; last >= 0 && ranges[last].Last+1 == r.First {
			ranges[last].Last = r.Last
			continue
		}
		ranges = append(ranges, r)
	}
	return ranges, false
}

func (s *sections) digest(n int) digest {
	if n < len(s.digests) {
		return s.digests[n]
	}
	return digest{}
}

// doubt makes sure that the section of a UID is listed the next time.
func (s *sections) doubt(uid uint64) {
	if s != nil {
		s.digests[s.of(uid)] = digest{0xff, 'd', 'o', 'u', 'b', 't'}
	}
}

// cursor is the state of a mailbox: its fingerprint, and its sections.
func cursor(fingerprint string, s *sections) string {
	if s == nil {
		return fingerprint
	}
	raw := make([]byte, 0, 8*len(s.digests))
	for _, d := range s.digests {
		raw = append(raw, d[:]...)
	}
	return fmt.Sprintf("%s|%x.%x.%s", fingerprint, s.validity, s.width, base64.RawStdEncoding.EncodeToString(raw))
}

// parseCursor takes a cursor apart; what it does not know is nil, and leads to
// a complete listing.
func parseCursor(text string) (fingerprint string, s *sections) {
	fingerprint, rest, ok := strings.Cut(text, "|")
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != 3 {
		return fingerprint, nil
	}
	validity, err1 := strconv.ParseUint(parts[0], 16, 32)
	width, err2 := strconv.ParseUint(parts[1], 16, 32)
	raw, err3 := base64.RawStdEncoding.DecodeString(parts[2])
	if err1 != nil || err2 != nil || err3 != nil || width == 0 || len(raw) == 0 || len(raw)%8 != 0 {
		return fingerprint, nil
	}
	s = &sections{validity: uint32(validity), width: width, digests: make([]digest, len(raw)/8)}
	for i := range s.digests {
		copy(s.digests[i][:], raw[8*i:])
	}
	return fingerprint, s
}
