package bench

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/vdir"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// BenchmarkObjects moves one account's calendars, address book and files from
// folders (vdir) into the destination: MAILHAUL_BENCH_EVENTS (10,000), half as
// many contacts with photos, a fifth as many files; then again, when nothing has
// changed, and when one in a hundred has. Beside it stand vdirsyncer, from the
// same folders over CalDAV and CardDAV, rclone over WebDAV, and what one PUT
// after the other reaches.
func BenchmarkObjects(b *testing.B) {
	n := number("MAILHAUL_BENCH_EVENTS", 10_000)
	if lab.StalwartBinary() == "" {
		b.Skip("no Stalwart here")
	}
	dir := b.TempDir()
	fillObjects(b, dir, n)
	src := vdir.New(vdir.Options{Calendars: dir + "/calendars/%u", Contacts: dir + "/contacts/%u", Files: dir + "/files/%u"})
	counts := map[model.Kind]int64{model.KindCalendar: int64(n), model.KindContacts: int64(n / 2), model.KindFiles: int64(n / 5)}
	table := "\n" + fmt.Sprintf("one account: %d events, %d contacts with photos, %d files\n%-60s %10s %10s %8s %12s %12s\n", n, n/2, n/5, "", "objects/s", "MiB/s", "seconds", "ms, server", "ms, client")
	row := func(name string, objects, octets int64, t taken) {
		table += fmt.Sprintf("%-60s %10.0f %10.1f %8.1f %12.2f %12.2f\n", name, float64(objects)/t.wall.Seconds(), float64(octets)/(1<<20)/t.wall.Seconds(), t.wall.Seconds(), 1000*t.server/float64(objects), 1000*t.client/float64(objects))
	}
	var s *objectServer
	var led *ledger.Ledger
	run := func(b *testing.B, kind model.Kind) (groupware.Result, taken) {
		account, err := led.Account(b.Context(), "anna", "anna@"+s.Domain)
		if err != nil {
			b.Fatal(err)
		}
		st, err := src.Open(b.Context(), model.Account{Login: "anna"})
		if err != nil {
			b.Fatal(err)
		}
		dst, err := s.dst.Open(b.Context(), "anna@"+s.Domain)
		if err != nil {
			b.Fatal(err)
		}
		m := startMeter(b)
		a, err := groupware.Survey(b.Context(), groupware.Options{Source: one{st.(source.Objects), kind}, Ledger: led, Account: account.ID, SpoolDir: b.TempDir(), AllowDeletions: true})
		if err == nil && !a.Idle() {
			err = a.Run(b.Context(), dst)
		}
		if err != nil {
			b.Fatal(err)
		}
		return a.Result(), m.stop()
	}
	rates := map[model.Kind]float64{}
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts, model.KindFiles} {
		b.Run("mailhaul "+c2name(kind), func(b *testing.B) {
			// Each kind has a server of its own: it goes on indexing for long.
			s = startObjects(b)
			var err error
			if led, err = ledger.Open(b.TempDir()); err != nil {
				b.Fatal(err)
			}
			want := counts[kind]
			res, took := run(b, kind)
			c := res.Of(kind)
			if c.Created != want {
				b.Fatalf("%s: %+v of %d", kind, *c, want)
			}
			row(fmt.Sprintf("mailhaul, %s", c2name(kind)), c.Created, c.Octets, took)
			rates[kind] = float64(want) / took.wall.Seconds()
			b.ReportMetric(rates[kind], strings.ReplaceAll(c2name(kind), " ", "-")+"/s")
			if res, took := run(b, kind); res.Sum() != (groupware.Counts{}) {
				b.Fatalf("again: %+v", res)
			} else {
				table += fmt.Sprintf("%-60s %30.2f\n", "  again, nothing has changed", took.wall.Seconds())
			}
			changed := int64(0)
			for i := 0; i < int(want); i += 100 {
				putObject(b, dir, kind, i, "Changed")
				changed++
			}
			res, took = run(b, kind)
			if res.Of(kind).Changed != changed {
				b.Fatalf("changed: %+v", res)
			}
			table += fmt.Sprintf("%-60s %30.2f\n", "  one in a hundred has changed", took.wall.Seconds())
			led.Close()
		})
	}
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts} {
		b.Run("mailhaul "+c2name(kind)+", index deferred", func(b *testing.B) {
			s = startObjects(b)
			deferIndex(b, to{url: s.URL, user: s.AdminUser, password: s.AdminPassword})
			led = must(ledger.Open(b.TempDir()))(b)
			defer led.Close()
			res, took := run(b, kind)
			row(fmt.Sprintf("mailhaul, %s, index deferred", c2name(kind)), res.Of(kind).Created, res.Of(kind).Octets, took)
		})
	}
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts, model.KindFiles} {
		// A peer that would take longer than some minutes gets a part of it.
		m := int(min(counts[kind], int64(number("MAILHAUL_BENCH_PEER_OBJECTS", 10_000))))
		var peer taken
		name, move := "vdirsyncer", (*objectServer).vdirsyncer
		if kind == model.KindFiles {
			name, move = "rclone", (*objectServer).rclone
		}
		b.Run(name+" "+c2name(kind), func(b *testing.B) { peer = move(startObjects(b), b, dir, kind, m) })
		if peer.wall > 0 {
			row(fmt.Sprintf("%s, %s (%d of them)", name, c2name(kind), m), int64(m), 0, peer)
			table += fmt.Sprintf("%-60s %10.1f\n", "  mailhaul is faster by", rates[kind]*peer.wall.Seconds()/float64(m))
		}
		var took taken
		b.Run("PUT "+c2name(kind), func(b *testing.B) { took = startObjects(b).putOneByOne(b, kind, m) })
		if took.wall == 0 {
			continue
		}
		row(fmt.Sprintf("one PUT after the other, %s (%d of them)", c2name(kind), m), int64(m), 0, took)
		table += fmt.Sprintf("%-60s %10.1f\n", "  mailhaul is faster by", rates[kind]*took.wall.Seconds()/float64(m))
	}
	fmt.Println(table)
}

func c2name(kind model.Kind) string {
	return map[model.Kind]string{model.KindCalendar: "events", model.KindContacts: "contacts", model.KindFiles: "files"}[kind]
}

// one shows a single kind of a source.
type one struct {
	source.Objects
	kind model.Kind
}

func (o one) ObjectCollections(ctx context.Context) ([]model.ObjectCollection, []error, error) {
	all, errs, err := o.Objects.ObjectCollections(ctx)
	var some []model.ObjectCollection
	for _, c := range all {
		if c.Kind == o.kind {
			some = append(some, c)
		}
	}
	return some, errs, err
}

// objectFolders are where a kind lies below the folder of all.
var objectFolders = map[model.Kind]string{model.KindCalendar: "calendars/anna/home", model.KindContacts: "contacts/anna/book", model.KindFiles: "files/anna/Documents"}

func fillObjects(b *testing.B, dir string, n int) {
	for _, folder := range objectFolders {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	for i := range n {
		putObject(b, dir, model.KindCalendar, i, "")
		if i%2 == 0 {
			putObject(b, dir, model.KindContacts, i/2, "")
		}
		if i%5 == 0 {
			putObject(b, dir, model.KindFiles, i/5, "")
		}
	}
}

func objectName(kind model.Kind, i int) string {
	switch kind {
	case model.KindCalendar:
		return fmt.Sprint(i, ".ics")
	case model.KindContacts:
		return fmt.Sprint(i, ".vcf")
	}
	return fmt.Sprintf("File %d.txt", i)
}

func objectText(kind model.Kind, i int, suffix string) string {
	switch kind {
	case model.KindCalendar:
		return benchEvent(i, suffix)
	case model.KindContacts:
		return benchCard(i, suffix)
	}
	return strings.Repeat(fmt.Sprintf("Line %d of a file%s.\n", i, suffix), 50+i%2000)
}

// putObject writes one.
func putObject(b *testing.B, dir string, kind model.Kind, i int, suffix string) {
	if err := os.WriteFile(filepath.Join(dir, objectFolders[kind], objectName(kind, i)), []byte(objectText(kind, i, suffix)), 0o644); err != nil {
		b.Fatal(err)
	}
}

// vdirsyncer moves the first m objects of a kind from a folder of their own.
func (s *objectServer) vdirsyncer(b *testing.B, dir string, kind model.Kind, m int) taken {
	b.Helper()
	run := lab.DebianProgram(b, "vdirsyncer", "/usr/bin/vdirsyncer")
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	at := b.TempDir()
	suffix, path, storage := ".ics", "/dav/cal/peer%40"+s.Domain+"/default/", "caldav"
	if kind == model.KindContacts {
		suffix, path, storage = ".vcf", "/dav/card/peer%40"+s.Domain+"/default/", "carddav"
	}
	part := firstObjects(b, dir, kind, m)
	config := filepath.Join(at, "config")
	must(os.WriteFile(config, []byte(fmt.Sprintf("[general]\nstatus_path = %q\n[pair p]\na = \"here\"\nb = \"there\"\ncollections = null\n[storage here]\ntype = \"filesystem\"\npath = %q\nfileext = %q\n"+
		"[storage there]\ntype = %q\nurl = %q\nusername = %q\npassword = %q\n", filepath.Join(at, "status"), part, suffix, storage, s.URL+path, "migrator@"+s.Domain, newPassword)), 0o600))
	vdirsyncer := func(args ...string) {
		b.Helper()
		cmd := run(append([]string{"-c", config}, args...)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("vdirsyncer %v: %v\n%s", args, err, out[max(0, len(out)-3000):])
		}
	}
	vdirsyncer("discover")
	meter := startMeter(b)
	vdirsyncer("sync")
	took := meter.stop()
	s.wantPeer(b, kind, m)
	return took
}

// rclone copies the first m files, with its default of four at a time.
func (s *objectServer) rclone(b *testing.B, dir string, kind model.Kind, m int) taken {
	b.Helper()
	run := lab.DebianProgram(b, "rclone", "/usr/bin/rclone")
	part := firstObjects(b, dir, kind, m)
	secret, err := run("obscure", newPassword).Output()
	check(b, err)
	meter := startMeter(b)
	cmd := run("copy", part, ":webdav:", "--config", filepath.Join(b.TempDir(), "none"), "--webdav-url", s.URL+"/dav/file/peer%40"+s.Domain+"/", "--webdav-user", "migrator@"+s.Domain, "--webdav-pass", strings.TrimSpace(string(secret)))
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("rclone: %v\n%s", err, out[max(0, len(out)-3000):])
	}
	took := meter.stop()
	s.wantPeer(b, kind, m)
	return took
}

// firstObjects are the first m of a kind in a folder of their own.
func firstObjects(b *testing.B, dir string, kind model.Kind, m int) string {
	part := filepath.Join(b.TempDir(), "part")
	check(b, os.Mkdir(part, 0o755))
	for i := range m {
		name := objectName(kind, i)
		check(b, os.Link(filepath.Join(dir, objectFolders[kind], name), filepath.Join(part, name)))
	}
	return part
}

// wantPeer counts what a peer has brought.
func (s *objectServer) wantPeer(b *testing.B, kind model.Kind, m int) {
	b.Helper()
	account, err := s.dst.Open(b.Context(), "peer@"+s.Domain)
	check(b, err)
	store := account.(destination.ObjectStore)
	all, err := store.ObjectCollections(b.Context(), kind)
	check(b, err)
	if kind == model.KindFiles {
		all = append(all, destination.ObjectCollection{Collection: destination.Collection{Kind: kind}}) // the top
	}
	there := 0
	for _, c := range all {
		list, err := store.Objects(b.Context(), c.Collection)
		check(b, err)
		there += len(list)
	}
	if there != m {
		b.Fatalf("the peer brought %d of %d", there, m)
	}
}

// benchEvent is an appointment as clients write them: each tenth recurs, each
// fifth is a meeting, all have a zone with its definition and an alarm.
func benchEvent(i int, suffix string) string {
	more := ""
	if i%10 == 0 {
		more += "RRULE:FREQ=WEEKLY;COUNT=20\r\nEXDATE;TZID=Europe/Berlin:20270215T100000\r\n"
	}
	if i%5 == 1 {
		more += "ORGANIZER;CN=Anna:mailto:anna@lab.test\r\nATTENDEE;CN=Bob;PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:bob@example.test\r\nATTENDEE;PARTSTAT=DECLINED:mailto:cy@example.test\r\n"
	}
	return fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:event-%d@example.test\r\nDTSTAMP:20260101T100000Z\r\nDTSTART;TZID=Europe/Berlin:202702%02dT100000\r\nDTEND;TZID=Europe/Berlin:202702%02dT110000\r\nSUMMARY:Meeting %d%s\r\nDESCRIPTION:We talk about things\\, and more of it.\r\nCATEGORIES:WORK\r\n%sBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:Soon\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", i, i%28+1, i%28+1, i, suffix, more)
}

var benchPhotos [16]string

// benchCard has a photo of some 8 KiB.
func benchCard(i int, suffix string) string {
	p := &benchPhotos[i%len(benchPhotos)]
	if *p == "" {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		img := image.NewRGBA(image.Rect(0, 0, 96, 96))
		for y := range 96 {
			for x := range 96 {
				img.Set(x, y, color.RGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(x), 255})
			}
		}
		var b bytes.Buffer
		_ = jpeg.Encode(&b, img, &jpeg.Options{Quality: 60})
		*p = base64.StdEncoding.EncodeToString(b.Bytes())
	}
	return fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:card-%d\r\nFN:Person %d%s\r\nN:%d;Person;;;\r\nEMAIL;TYPE=WORK:person%d@example.test\r\nTEL;TYPE=CELL:+43 1 %d\r\nADR;TYPE=HOME:;;Street %d;Wien;;1010;Austria\r\nORG:Example;Unit\r\nPHOTO;ENCODING=b;TYPE=JPEG:%s\r\nEND:VCARD\r\n", i, i, suffix, i, i, i, i, *p)
}

// objectServer is a Stalwart with a migrator that sends no invitations.
type objectServer struct {
	*lab.Stalwart
	dst *stalwart.Destination
}

func startObjects(b *testing.B) *objectServer {
	s := &objectServer{Stalwart: lab.StartStalwart(b)}
	c, err := jmap.Dial(b.Context(), jmap.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	type object = map[string]any
	do := func(method string, a object, v any) { lab.Manage(b, c, method, a, v) }
	var domain struct{ IDs []string }
	do("x:Domain/query", object{"filter": object{"name": s.Domain}}, &domain)
	user := func(name string) object {
		return object{"@type": "User", "name": name, "domainId": domain.IDs[0], "roles": object{"@type": "User"}, "credentials": object{"0": object{"@type": "Password", "secret": newPassword}}}
	}
	migrator := lab.MakeMigrator(b, c, s.Domain, newPassword, "calendarSchedulingSend")
	do("x:Account/set", object{"create": object{"a": user("anna"), "b": user("peer")}}, nil)
	// As mailhaul check --fix does: else the server lists 2,000 objects at most.
	do("x:WebDav/set", object{"update": object{"singleton": object{"maxResults": 1_000_000}}}, nil)
	do("x:Action/set", object{"create": object{"r": object{"@type": "ReloadSettings"}}}, nil)
	if s.dst, err = stalwart.Dial(b.Context(), stalwart.Config{URL: s.URL, User: migrator, Password: newPassword}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.dst.Close() })
	return s
}

func (s *objectServer) putOneByOne(b *testing.B, kind model.Kind, n int) taken {
	path := map[model.Kind]string{model.KindCalendar: "/dav/cal/peer%40" + s.Domain + "/default/", model.KindContacts: "/dav/card/peer%40" + s.Domain + "/default/", model.KindFiles: "/dav/file/peer%40" + s.Domain + "/"}[kind]
	meter := startMeter(b)
	for i := range n {
		req, err := http.NewRequest(http.MethodPut, fmt.Sprint(s.URL, path, i, ".x"), strings.NewReader(objectText(kind, i, "")))
		if err != nil {
			b.Fatal(err)
		}
		req.SetBasicAuth("migrator@"+s.Domain, newPassword)
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != http.StatusCreated {
			b.Fatal(resp, err)
		}
		resp.Body.Close()
	}
	return meter.stop()
}

// taken is what a move took: the clock's time, and that of the processors, in
// seconds. The latter tells where the time goes, and others on the machine
// hardly disturb it.
type taken struct {
	wall           time.Duration
	server, client float64
}

type meter struct {
	b     *testing.B
	start time.Time
	from  taken
}

func startMeter(b *testing.B) *meter {
	return &meter{b, time.Now(), taken{server: children(b, "stalwart"), client: processor(b) + processorOf(b, syscall.RUSAGE_CHILDREN)}}
}

// stop counts a client that ran as a process of its own, and has ended, too.
func (m *meter) stop() taken {
	return taken{time.Since(m.start), children(m.b, "stalwart") - m.from.server, processor(m.b) + processorOf(m.b, syscall.RUSAGE_CHILDREN) - m.from.client}
}

// children is the time that running children of this process have been at work,
// in seconds (proc(5): /proc/pid/stat in ticks of a hundredth).
func children(b *testing.B, name string) (sum float64) {
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	check(b, err)
	for _, path := range all {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		head, rest, ok := strings.Cut(string(raw), ") ")
		f := strings.Fields(rest)
		if !ok || !strings.HasSuffix(head, "("+name) || f[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		user, _ := strconv.Atoi(f[11])
		system, _ := strconv.Atoi(f[12])
		sum += float64(user+system) / 100
	}
	return sum
}
