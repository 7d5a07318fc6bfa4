package cyrus_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/source/cyrus"
)

// stored is a message as a fixture's index has it.
type stored struct {
	uid      uint32
	at       time.Time
	size     int
	flags    uint32 // system flags, and the bits above them
	keywords []int  // user flags that are set
	guid     [20]byte
	modseq   uint64
}

// indexed is a fixture's index.
type indexed struct {
	version            int
	validity, last     uint32
	sharedSeen         bool
	messages           []stored
	modseq, generation uint64
}

// bytes lays the index out as imap/mailbox.h of the releases tells, and
// imap/index_file.c for the latest.
func (x indexed) bytes(t testing.TB) []byte {
	t.Helper()
	sizes := map[int][2]int{6: {76, 60}, 7: {76, 72}, 8: {92, 80}, 9: {96, 80}, 10: {96, 88}, 12: {128, 96}, 13: {128, 104}, 14: {160, 104}, 15: {160, 104},
		16: {160, 112}, 17: {160, 112}, 18: {160, 112}, 19: {160, 112}, 20: {192, 144}}[x.version]
	if sizes[0] == 0 {
		t.Fatalf("there is no version %d", x.version)
	}
	put32 := func(b []byte, at int, v uint32) { binary.BigEndian.PutUint32(b[at:], v) }
	put64 := func(b []byte, at int, v uint64) { binary.BigEndian.PutUint64(b[at:], v) }
	h := make([]byte, sizes[0])
	exists, octets := 0, 0
	for _, m := range x.messages {
		if m.flags>>30 == 0 {
			exists++
			octets += m.size
		}
	}
	put32(h, 0, uint32(x.generation))
	put32(h, 8, uint32(x.version))
	put32(h, 12, uint32(sizes[0]))
	put32(h, 16, uint32(sizes[1]))
	put32(h, 20, uint32(len(x.messages)))
	put64(h, 32, uint64(octets))
	last, validity, options, modseq, count := 28, 44, 60, 68, 84
	switch {
	case x.version == 20:
		last, validity, options, modseq, count = 88, 92, 64, 72, 60
	case x.version == 19:
		options, modseq, count = 64, 72, 60
	}
	put32(h, last, x.last)
	put32(h, validity, x.validity)
	if x.sharedSeen {
		put32(h, options, 4)
	}
	if x.version >= 8 {
		put64(h, modseq, x.modseq)
	}
	if x.version >= 12 {
		put32(h, count, uint32(exists))
		put32(h, len(h)-4, crc32.ChecksumIEEE(h[:len(h)-4]))
	}
	for _, m := range x.messages {
		r := make([]byte, sizes[1])
		put32(r, 0, m.uid)
		user := 36
		if x.version == 20 {
			put64(r, 8, uint64(m.at.UnixNano()))
			put64(r, 24, uint64(m.size))
			put32(r, 36, m.flags)
			user = 40
			copy(r[60:], m.guid[:])
			put64(r, 80, m.modseq)
		} else {
			put32(r, 4, uint32(m.at.Unix()))
			put32(r, 12, uint32(m.size))
			put32(r, 32, m.flags)
			switch {
			case x.version >= 10:
				copy(r[60:], m.guid[:])
				put64(r, 80, m.modseq)
			case x.version >= 8:
				put64(r, 72, m.modseq)
			}
		}
		for _, k := range m.keywords {
			r[user+k/32*4+3-k%32/8] |= 1 << (k % 8)
		}
		if x.version >= 12 {
			put32(r, len(r)-4, crc32.ChecksumIEEE(r[:len(r)-4]))
		}
		h = append(h, r...)
	}
	return h
}

// oldHeader is cyrus.header before 3.6.
func oldHeader(quotaRoot, id, flags, acl string) string {
	return "\xa1\x02\x8b\x0dCyrus mailbox header\n\"The best thing about this system was that it had lots of goals.\"\n\t--Jim Morris on Andrew\n" +
		quotaRoot + "\t" + id + "\n" + flags + "\n" + acl + "\n"
}

// fixture is a server's disk, made by hand.
type fixture struct {
	t    testing.TB
	dir  string
	conf string
}

func newFixture(t testing.TB, settings string) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: t.TempDir()}
	f.conf = "configdirectory: DIR/conf\npartition-default: DIR/spool\nsievedir: DIR/sieve\nhashimapspool: yes\nunixhierarchysep: no\naltnamespace: no\n" + settings
	f.conf = strings.ReplaceAll(f.conf, "DIR", f.dir)
	return f
}

// write makes a file below the fixture's folder.
func (f *fixture) write(path string, content []byte) {
	f.t.Helper()
	at := filepath.Join(f.dir, path)
	must(f.t, os.MkdirAll(filepath.Dir(at), 0o755))
	must(f.t, os.WriteFile(at, content, 0o644))
}

func (f *fixture) source() *cyrus.Source {
	f.t.Helper()
	settings, err := cyrusconf.Parse(strings.NewReader(f.conf))
	must(f.t, err)
	return cyrus.New(cyrus.Options{Layout: settings.Layout(), Pause: func(int) {}})
}

// body is message uid of a fixture.
func body(uid uint32) string { return fmt.Sprintf("Subject: %d\r\n\r\nbody %d\r\n", uid, uid) }

// mailbox writes the files of a mailbox into a folder.
func (f *fixture) mailbox(dir, header string, x indexed) {
	f.t.Helper()
	for i, m := range x.messages {
		x.messages[i].size = len(body(m.uid))
		if m.flags&(1<<30) == 0 {
			f.write(fmt.Sprintf("%s/%d.", dir, m.uid), []byte(body(m.uid)))
		}
	}
	f.write(dir+"/cyrus.header", []byte(header))
	f.write(dir+"/cyrus.index", x.bytes(f.t))
}

func (f *fixture) link(path, to string) {
	f.t.Helper()
	must(f.t, os.Symlink(to, filepath.Join(f.dir, path)))
}

// fixChecksum writes the checksum at the end of a header or record anew.
func fixChecksum(b []byte) {
	binary.BigEndian.PutUint32(b[len(b)-4:], crc32.ChecksumIEEE(b[:len(b)-4]))
}
