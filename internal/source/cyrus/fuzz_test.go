package cyrus

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

func FuzzDlist(f *testing.F) {
	for _, s := range []string{"%(T e I abc A %(anna lrs bob \"l r\\\"\") U (a NIL {3+}\r\nx y) H ())", "((()))", "%(a", "{9}\r\nx", "\"\\", "NIL", "%(S (1 2) M 3)"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := parseDlist(raw)
		if err != nil {
			return
		}
		var walk func(dlist) int
		walk = func(d dlist) int {
			n := len(d.text)
			for _, e := range d.list {
				n += walk(e)
			}
			if len(d.keys) > 0 && len(d.keys) != len(d.list) {
				t.Errorf("%d names for %d values", len(d.keys), len(d.list))
			}
			return n
		}
		if walk(d) > len(raw) {
			t.Error("there is more in it than was given")
		}
	})
}

func FuzzMailboxList(f *testing.F) {
	for _, r := range [][2]string{
		{"Nuser\x1fanna\x1fSent", "%(T e I abcdef P default V 7 A %(anna lrs))"}, {"Nother.net\x1duser\x1fzoe", "%(T ed)"},
		{"user.anna", "%(I 1 P default A %(x y))"}, {"user.jane^doe", "(uniqueid 7 specialuse \\Sent ) 0 default a\tlrs\t"}, {"x", "8 s!default "},
	} {
		f.Add(r[0], []byte(r[1]))
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		out, _ := parseList([]cyrusdb.Record{{Key: []byte(key), Value: value}}, "DELETED")
		h := hashing{true, true}
		for _, e := range out {
			for _, p := range []string{h.byName(e.name), byID(e.id)} {
				if safe(e.name) && safeID(e.id) && slices.Contains(strings.Split(p, "/"), "..") {
					t.Errorf("%q and %q lead out: %s", key, value, p)
				}
			}
			if e.name.domain == "" && !strings.ContainsAny(e.name.parts, "!^\x1d") && oldName(e.name.String()) != e.name {
				t.Errorf("%q is written %q and read %q", e.name, e.name.String(), oldName(e.name.String()))
			}
			if owner, _, ok := e.name.owner(); ok && owner == "" {
				t.Error("nobody owns it")
			}
			mailname.Decode(key)
		}
	})
}

func FuzzHeader(f *testing.F) {
	const magic = "\xa1\x02\x8b\x0dCyrus mailbox header\n\"quoted\"\n\t--author\n"
	f.Add([]byte(magic + "user.anna\t0011\n$A B  C \nanna\tlrs\t-x\tw\t\n"))
	f.Add([]byte(magic + "%(T e N user.anna I abc Q NIL A %(anna lrs) U (a NIL b))\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, _ := parseHeader(raw)
		if len(h.flags) > maxFlags {
			t.Errorf("%d flags", len(h.flags))
		}
		record{user: [4]uint32{^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0)}}.keywords(h.flags)
		effective(h.acl, "anna", "bob", 0, nil)
	})
}

func FuzzIndex(f *testing.F) {
	for v, l := range layouts {
		raw := make([]byte, l.header+3*l.record)
		be := binary.BigEndian
		be.PutUint32(raw[8:], v)
		be.PutUint32(raw[12:], uint32(l.header))
		be.PutUint32(raw[16:], uint32(l.record))
		be.PutUint32(raw[20:], 3)
		if l.checksums {
			be.PutUint32(raw[l.header-4:], crc32.ChecksumIEEE(raw[:l.header-4]))
		}
		for i := range int64(3) {
			r := raw[l.header+i*l.record:][:l.record]
			be.PutUint32(r, uint32(i+1))
			if l.checksums {
				be.PutUint32(r[l.record-4:], crc32.ChecksumIEEE(r[:l.record-4]))
			}
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		// What the fuzzer changes shall be looked at, not only refused.
		if len(raw) >= 20 {
			if l, ok := layouts[binary.BigEndian.Uint32(raw[8:])]; ok && l.checksums && int64(len(raw)) >= l.header {
				binary.BigEndian.PutUint32(raw[l.header-4:], crc32.ChecksumIEEE(raw[:l.header-4]))
			}
		}
		h, err := readIndexHeader(bytes.NewReader(raw), func(int) {})
		if err != nil {
			return
		}
		h.records = min(h.records, 10_000)
		s := scan{file: bytes.NewReader(raw), header: h, pause: func(int) {}}
		last, n := uint32(0), 0
		if err := s.run(func(r record) bool {
			if r.uid <= last {
				t.Errorf("UID %d after %d", r.uid, last)
			}
			last = r.uid
			n++
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if n+s.bad != int(h.records) {
			t.Errorf("%d records and %d damaged ones of %d", n, s.bad, h.records)
		}
	})
}

func FuzzUserState(f *testing.F) {
	for _, s := range []string{"1 100 7 100 1:3,5,7:*", "1 0 0 0 ", "%(S (1 2) M (3))", "12\n-1\nM 5 6\n", "2\t*,!imap\tx", "1 1 4294967295 1 *:1,4294967295"} {
		f.Add(s, uint32(5))
	}
	f.Fuzz(func(t *testing.T, s string, uid uint32) {
		set, _ := parseSeen(s)
		at := 0
		was := set.has(uid, &at)
		if at = 0; slices.ContainsFunc(set, func(r [2]uint32) bool { return r[0] <= uid && uid <= r[1] }) != was && sortedSet(set) {
			t.Errorf("%q has %d: %v", s, uid, was)
		}
		if q, ok := parseQuota(s); ok && q.limit < 0 {
			t.Errorf("%q is a limit of %d", s, q.limit)
		}
		denied(s)
		parseSubscriptions([]cyrusdb.Record{{Key: []byte("\x1fVER\x1f"), Value: []byte("2")}, {Key: []byte(s)}}, name{"", "user\x1fanna"})
		parseSubscriptions([]cyrusdb.Record{{Key: []byte(s)}}, name{"", "user\x1fanna"})
	})
}

// sortedSet reports whether no range lies within another.
func sortedSet(s seenSet) bool {
	for i := 1; i < len(s); i++ {
		if s[i][0] <= s[i-1][1] {
			return false
		}
	}
	return true
}

func FuzzAnnotation(f *testing.F) {
	f.Add([]byte("abc\x00/specialuse\x00[.OwNeR.]\x00"), []byte("\x00\x00\x00\x05\x00\x00\x00\x00\\Sent\x00text/plain\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00"))
	f.Add([]byte("user.anna\x00/comment\x00\x00"), []byte("\x00\x00\x00\x02hi\x00text/plain\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		a, ok := parseAnnotation(cyrusdb.Record{Key: key, Value: value})
		if ok && len(a.value) > len(value) {
			t.Errorf("%q out of %q", a.value, value)
		}
		roleOf([]annotation{a}, "anna")
	})
}

func FuzzScript(f *testing.F) {
	f.Add([]byte("Subject: =?UTF-8?Q?gr=C3=B6=C3=9Fer?=\r\nContent-Type: application/sieve\r\n\r\nkeep;\r\n"))
	f.Add([]byte("Subject: a\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := parseScript(raw)
		if err == nil && (s.Name == "" || !bytes.HasSuffix(raw, s.Content)) {
			t.Errorf("%+v", s)
		}
	})
}

// Rights are a union without what is taken away, and the owner's own.
func TestEffective(t *testing.T) {
	t.Parallel()
	acl := parseACL("anyone\tlr\tanna\tlrswi\t-anna\tw\tgroup:staff\tk\tcarla\tcd\t")
	staff := func(user, group string) bool { return user == "bob" && group == "staff" }
	for user, want := range map[string]string{"anna": "lrsi", "bob": "lrk", "carla": "lrkxte", "dora": "lr"} {
		if got := effective(acl, user, "erik", model.ParseRights("lkxan"), staff); got.String() != want {
			t.Errorf("%s has %v, want %s", user, got, want)
		}
	}
	if got := effective(nil, "erik", "erik", model.ParseRights("lkxan"), nil); got.String() != "lkxan" {
		t.Errorf("the owner has %v", got)
	}
}

// The hashes of directories that were seen on a real server.
func TestHash(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		h    hashing
		n    string
		want string
	}{
		{hashing{true, false}, "user.anna.Caf&AOk-", "a/user/anna/Caf&AOk-"},
		{hashing{true, false}, "user.Jane^doe", "j/user/Jane^doe"},
		{hashing{true, false}, "user.4you", "q/user/4you"},
		{hashing{true, false}, "Team.General", "g/Team/General"},
		{hashing{true, false}, "Team", "t/Team"},
		{hashing{}, "user.anna", "user/anna"},
		{hashing{true, false}, "other.net!user.zoe", "domain/o/other.net/z/user/zoe"},
		{hashing{}, "other.net!user.zoe", "domain/other.net/user/zoe"},
		{hashing{true, false}, "DELETED.user.anna.x", "u/DELETED/user/anna/x"},
	} {
		if got := x.h.byName(oldName(x.n)); got != x.want {
			t.Errorf("%s lies in %s, want %s", x.n, got, x.want)
		}
	}
}
