package bench

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus"
	"mailhaul.org/mailhaul/internal/source/dbox"
	"mailhaul.org/mailhaul/internal/source/maildir"
)

// What one core should do, for two to list 20,000 messages and to read 300 MiB
// a second.
const (
	listGoal = 10_000
	readGoal = 150
)

// diskStore is one account of the sample, as one kind of server keeps it.
type diskStore struct {
	src     source.Source
	account model.Account
	files   string // the folder of everything
}

// BenchmarkDisk lists and reads the same account from the disk of every kind of
// server, warm, by one reader, MAILHAUL_BENCH_MESSAGES messages, else 4,000. The
// stores are made by the real servers. What counts is a second of processor
// time, which does not depend on what else the machine does. Beside it: opening
// the same files and reading them into memory, and no more.
func BenchmarkDisk(b *testing.B) {
	n := number("MAILHAUL_BENCH_MESSAGES", 4_000)
	org := sample.New(sample.Options{Accounts: 1, Messages: n, Seed: 1, Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
	_, _, messages, octets := org.Totals()
	fmt.Printf("\nfrom disk, %d messages, %d MiB; a second is one of processor time\n", messages, octets>>20)
	fmt.Printf("%-20s %14s %12s %12s %24s\n", "", "listed/CPU-s", "read, MiB/s", "messages/s", "files read alone, MiB/s")
	for _, c := range []struct {
		name string
		make func(b *testing.B, org *sample.Organisation) diskStore
	}{
		{"Maildir", asMaildir},
		{"Maildir, zstd", asDovecot("maildir:DIR/%d/%n/packed", "zstd")},
		{"sdbox", asDovecot("sdbox:DIR/%d/%n/sdbox", "")},
		{"mdbox", asDovecot("mdbox:DIR/%d/%n/mdbox", "")},
		{"sdbox, gzip", asDovecot("sdbox:DIR/%d/%n/sdbox", "gz")},
		{"mdbox, zstd", asDovecot("mdbox:DIR/%d/%n/mdbox", "zstd")},
		{"mdbox, lz4", asDovecot("mdbox:DIR/%d/%n/mdbox", "lz4")},
		{"Cyrus", asCyrus},
		{"Courier", asCourier},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := c.make(b, org)
			s.measure(b, c.name, messages)
		})
	}
}

// listing is the account's mailboxes with their messages.
type listing struct {
	c     model.Collection
	items []model.ItemRef
}

func (s diskStore) list(b *testing.B) (boxes []listing, n int) {
	b.Helper()
	st, err := s.src.Open(b.Context(), s.account)
	check(b, err)
	defer st.Close()
	cols, err := st.Collections(b.Context())
	check(b, err)
	for _, c := range cols {
		if c.Container {
			continue
		}
		x := listing{c: c}
		for ch, err := range st.Changes(b.Context(), c, "") {
			check(b, err)
			if ch.Op == model.OpUpsert {
				x.items = append(x.items, ch.Item.ItemRef)
			}
		}
		boxes, n = append(boxes, x), n+len(x.items)
	}
	return boxes, n
}

// read reads everything, each message to its end.
func (s diskStore) read(b *testing.B, boxes []listing) (n int, octets int64) {
	b.Helper()
	st, err := s.src.Open(b.Context(), s.account)
	check(b, err)
	defer st.Close()
	for _, x := range boxes {
		check(b, st.Read(b.Context(), x.c, x.items, func(_ model.ItemRef, c *source.Content, err error) error {
			if err != nil {
				return err
			}
			k, err := io.Copy(io.Discard, c)
			n, octets = n+1, octets+k
			return err
		}))
	}
	return n, octets
}

// leastWork is how long each figure is measured, in seconds of processor time.
const leastWork = 1.5

func (s diskStore) measure(b *testing.B, name string, messages int) {
	boxes, n := s.list(b) // and warm
	s.read(b, boxes)
	if n != messages {
		b.Fatalf("%d messages are listed, %d were stored", n, messages)
	}
	rate := func(once func() float64) float64 {
		done, from := 0.0, processor(b)
		for processor(b)-from < leastWork {
			done += once()
		}
		return done / (processor(b) - from)
	}
	listed := rate(func() float64 { _, n := s.list(b); return float64(n) })
	var each float64
	read := rate(func() float64 {
		n, octets := s.read(b, boxes)
		each = float64(octets) / float64(n)
		return float64(octets)
	})
	plain := rate(func() float64 { return float64(readFiles(b, s.files)) })
	b.ReportMetric(listed, "listed/cpu-s")
	b.ReportMetric(read/(1<<20), "MiB/cpu-s")
	note := ""
	if listed < listGoal || read/(1<<20) < readGoal {
		note = "   missed"
	}
	fmt.Printf("%-20s %14.0f %12.0f %12.0f %24.0f%s\n", name, listed, read/(1<<20), read/each, plain/(1<<20), note)
}

// readFiles reads all files below a folder into memory.
func readFiles(b *testing.B, dir string) (octets int) {
	check(b, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		octets += len(raw)
		return err
	}))
	return octets
}

// processor is the time that this process has been at work, in seconds.
func processor(b *testing.B) float64 { return processorOf(b, syscall.RUSAGE_SELF) }

func processorOf(b *testing.B, who int) float64 {
	var u syscall.Rusage
	check(b, syscall.Getrusage(who, &u))
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// check fails the benchmark on an error.
func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func asMaildir(b *testing.B, org *sample.Organisation) diskStore {
	dir := b.TempDir()
	check(b, org.WriteMaildir(dir))
	return diskStore{src: maildir.New(maildir.Options{Path: dir + "/%d/%n/Maildir"}), account: model.Account{Login: org.Accounts[0].Login}, files: dir}
}

// asDovecot lets a Dovecot store the sample in another format.
func asDovecot(location, packed string) func(*testing.B, *sample.Organisation) diskStore {
	return func(b *testing.B, org *sample.Organisation) diskStore {
		dir := b.TempDir()
		check(b, org.WriteMaildir(dir))
		location := strings.ReplaceAll(location, "DIR/", dir+"/")
		settings := "namespace inbox {\n  separator = .\n}\n"
		if packed != "" {
			settings += "mail_plugins = $mail_plugins zlib\nplugin {\n  zlib_save = " + packed + "\n}\n"
		}
		srv := lab.StartDovecot(b, lab.DovecotOptions{Passwd: dir + "/users", Mail: dir, Location: location, Home: dir + "/%d/%n", Settings: settings})
		login := org.Accounts[0].Login
		local, domain, _ := strings.Cut(login, "@")
		from := filepath.Join(dir, domain, local, "Maildir")
		srv.Doveadm(b, "backup", "-R", "-u", login, "maildir:"+from)
		check(b, os.RemoveAll(from))
		srv.Stop()
		s := diskStore{account: model.Account{Login: login}, files: filepath.Join(dir, domain, local)}
		if path, ok := strings.CutPrefix(location, "maildir:"); ok {
			s.src = maildir.New(maildir.Options{Path: path})
		} else {
			s.src = dbox.New(dbox.Options{Location: location})
		}
		return s
	}
}

// asCyrus delivers the sample to a Cyrus.
func asCyrus(b *testing.B, org *sample.Organisation) diskStore {
	srv := lab.StartCyrus(b, lab.CyrusOptions{})
	admin, err := imapclient.DialStartTLS(srv.IMAP, &imapclient.Options{TLSConfig: &tls.Config{InsecureSkipVerify: true}})
	check(b, err)
	defer admin.Close()
	check(b, admin.Login(srv.Admin, srv.AdminPassword).Wait())
	made := map[string]bool{}
	for _, m := range org.Accounts[0].Mailboxes {
		if m.Container {
			continue
		}
		name := "user/anna"
		if m.Path[0] != "INBOX" {
			var levels []string
			for _, l := range m.Path { // names are the reader's business elsewhere
				levels = append(levels, strings.TrimRight(base64.RawURLEncoding.EncodeToString([]byte(l)), "="))
			}
			name += "/" + strings.Join(levels, "/")
		}
		for _, at := range []string{"user/anna", name} {
			if !made[at] {
				check(b, admin.Create(at, nil).Wait())
				check(b, admin.SetACL(at, imap.RightsIdentifier(srv.Admin), imap.RightModificationReplace, imap.RightSet("lrswipkxtea")).Wait())
				made[at] = true
			}
		}
		for msg := range m.Messages() {
			text, err := io.ReadAll(msg.Open())
			check(b, err)
			if i := slices.Index(text, 0); i >= 0 { // Cyrus refuses NUL
				text = []byte(strings.ReplaceAll(string(text), "\x00", " "))
			}
			cmd := admin.Append(name, int64(len(text)), &imap.AppendOptions{Time: msg.Received})
			_, err = cmd.Write(text)
			check(b, err)
			check(b, cmd.Close())
			_, err = cmd.Wait()
			check(b, err)
		}
	}
	srv.Stop()
	settings, err := cyrusconf.Read(srv.Config)
	check(b, err)
	return diskStore{src: cyrus.New(cyrus.Options{Layout: settings.Layout()}), account: model.Account{Login: "anna"}, files: srv.Dir + "/spool"}
}

// asCourier lets a Courier take a Maildir over: it numbers the messages.
func asCourier(b *testing.B, org *sample.Organisation) diskStore {
	dir := b.TempDir()
	check(b, org.WriteMaildir(dir))
	login := org.Accounts[0].Login
	local, domain, _ := strings.Cut(login, "@")
	home := filepath.Join(dir, domain, local)
	check(b, filepath.WalkDir(home, func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(e.Name(), "dovecot") {
			err = os.Remove(path)
		}
		return err
	}))
	srv := lab.StartCourier(b, lab.CourierOptions{Users: []lab.CourierUser{{Name: login, Password: "pw", Home: home}}, Mail: dir})
	user, err := imapclient.DialInsecure(srv.IMAP, nil)
	check(b, err)
	defer user.Close()
	check(b, user.Login(login, "pw").Wait())
	all, err := user.List("", "*", nil).Collect()
	check(b, err)
	for _, l := range all {
		if slices.Contains(l.Attrs, imap.MailboxAttrNoSelect) {
			continue
		}
		_, err := user.Select(l.Mailbox, nil).Wait()
		check(b, err)
	}
	srv.Stop()
	return diskStore{src: maildir.New(maildir.Options{Path: home + "/Maildir", Server: maildir.ServerCourier}), account: model.Account{Login: login, Home: home}, files: home}
}
