package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/provision"
	"mailhaul.org/mailhaul/internal/share"
	"mailhaul.org/mailhaul/internal/verify"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)

// evil is a name from a stranger.
const evil = `<script>alert("x")</script>`

func sampleSync() engine.Result {
	r := engine.Result{Accounts: []engine.AccountResult{
		{Login: "anna@acme.test", Address: "anna@acme.test", Status: engine.StatusDone, Counts: engine.Counts{Messages: 1234, Octets: 56 << 20, Repaired: 2, Mailboxes: 7},
			Notes: []engine.Note{{Mailbox: "送信済み", Item: "UID 7", Code: "repaired", Text: "a\nb"}}},
		{Login: "邦子@acme.test", Address: "kuniko@acme.test", Status: engine.StatusFailed, Err: errors.New("x"), Error: "the server refused the login"},
		{Login: "=cmd()", Status: engine.StatusUnchanged},
	}}
	for i := range 20 {
		r.Accounts[2].Notes = append(r.Accounts[2].Notes, engine.Note{Code: "keyword", Text: fmt.Sprint("note ", i)})
	}
	for _, a := range r.Accounts {
		r.Total.Add(a.Counts)
	}
	return r
}

func sampleVerify() verify.Report {
	c := verify.Counts{Source: 10, Identical: 7, Repaired: 1, Refused: 1, Missing: 1, Extra: 3}
	o := verify.ObjectCounts{Source: 9, Exact: 6, Explained: 1, Kept: 1, Refused: 1, Extra: 2}
	return verify.Report{Total: c, Objects: o, Accounts: []verify.AccountReport{{Login: "anna@acme.test", Counts: c,
		Objects: []verify.ObjectReport{{Kind: "calendar", Name: "Work <b>", ObjectCounts: o}}, ObjectCounts: o,
		Mailboxes: []verify.Mailbox{{Name: evil, Target: "Work", Counts: c}},
		Findings:  []verify.Difference{{Mailbox: evil, Item: "UID 3", Kind: "missing", Text: "not moved yet"}}}}}
}

func sampleAssessment() assess.Assessment {
	a := assess.Assessment{Time: now, Parallel: 4, Destination: true, Accounts: []assess.Account{
		{Login: "anna@acme.test", Address: "anna.k@acme.test", Mailboxes: 12, Messages: 274, Octets: 5 << 20, Largest: assess.Message{Mailbox: evil, UID: 3, Octets: 1 << 20},
			Oldest: now.AddDate(-7, 0, 0), Newest: now, Scripts: 2, Password: destination.PasswordReset, Risk: assess.RiskHigh,
			Anomalies: []assess.Anomaly{{Code: "tooLarge", Mailbox: "INBOX", Item: "UID 3", Text: "too large", Count: 2, Loss: true}}},
		{Login: "ben@acme.test", Address: "ben@acme.test", Error: "no such Maildir", Err: errors.New("x"), Risk: assess.RiskHigh, Password: destination.PasswordUnknown},
	}}
	a.Total = assess.Totals{Accounts: 2, Mailboxes: 12, Messages: 274, Octets: 5 << 20, Scripts: 2, Anomalies: map[string]int64{"tooLarge": 2},
		Passwords: map[destination.PasswordFate]int{destination.PasswordReset: 1}, Risks: map[assess.Risk]int{assess.RiskHigh: 2}}
	a.Total.Sizes[0], a.Total.Sizes[7] = 270, 4
	a.Duration = assess.Duration{Estimate: 3*time.Hour + 20*time.Minute, Bottleneck: "source (measured)", MessagesPerSecond: 900, OctetsPerSecond: 20 << 20}
	return a
}

// boundSync is a run that waited for the destination.
func boundSync() engine.Result {
	return engine.Result{Pace: engine.Pace{Source: 18 * time.Second, Destination: 82 * time.Second, InFlight: 5, Batch: 166,
		Messages: 129_000, Octets: 2500 << 20, Elapsed: 100 * time.Second}}
}

func sampleShares() share.Result {
	return share.Result{Accounts: []share.AccountResult{
		{Login: "anna@acme.test", Shares: 3, Kept: 1,
			Changes: []share.Change{{Mailbox: "Team", Reader: "ben@acme.test", From: destination.Rights(0), To: destination.MayRead | destination.MaySetSeen},
				{Kind: "calendar", Mailbox: "Plans", Reader: "ben@acme.test", From: model.ObjectRights(0), To: model.ObjectRead | model.ObjectWrite}},
			Waiting: []share.Wait{{Mailbox: "Team", Reader: "dora@acme.test"}},
			Notes:   []share.Note{{Mailbox: "Team", Code: "group", Text: "the group \"staff\" may use it"}}},
		{Login: "cleo@acme.test", Absent: true},
		{Login: "ed@acme.test", Error: "login refused", Err: io.EOF},
	}}
}

// renderings are all reports, by the name of their golden file.
func renderings() map[string]func(io.Writer) error {
	plan := provision.Result{Actions: []provision.Outcome{
		{Action: destination.Action{Verb: destination.VerbDelete, Kind: destination.KindList, Subject: "old@acme.test", Note: "no longer at the source"}},
		{Action: destination.Action{Verb: destination.VerbCreate, Kind: destination.KindDomain, Subject: "acme.test"}},
		{Action: destination.Action{Verb: destination.VerbCreate, Kind: destination.KindAccount, Subject: "anna@acme.test", Account: model.Account{Login: "anna", Password: "{PLAIN}geheim"},
			Password: destination.PasswordCarried}, Err: errors.New("weak password")},
		{Action: destination.Action{Verb: destination.VerbCreate, Kind: destination.KindAccount, Subject: "cleo@acme.test", Account: model.Account{Login: "cleo"}, Password: destination.PasswordReset,
			Note: "yescrypt cannot be verified by the destination: set a new password", Changes: []destination.Change{{Property: "name", New: "Cleo"}, {Property: "quota", New: "1073741824"}}}},
		{Action: destination.Action{Verb: destination.VerbConflict, Kind: destination.KindList, Subject: "x@acme.test", Note: "a user has this address"}},
		{Action: destination.Action{Verb: destination.VerbKeep, Kind: destination.KindAccount, Subject: "ben@acme.test", Note: destination.NoteExists}},
		{Action: destination.Action{Verb: destination.VerbChange, Kind: destination.KindList, Subject: "staff@acme.test", Note: destination.NoteExists,
			Changes: []destination.Change{{Property: "recipient", New: "cleo@acme.test"}, {Property: "recipient", Old: "dora@acme.test"}},
			Kept:    []destination.Change{{Property: "recipient", Old: "guest@outside.test"}, {Property: "recipient", New: "ed@acme.test"}, {Property: "name", Old: "Staff", New: "Everybody"}}}},
		{Action: destination.Action{Verb: destination.VerbWait, Kind: destination.KindCatchAll, Subject: "acme.test", Note: "not before the last has moved"}},
		{Action: destination.Action{Verb: destination.VerbCreate, Kind: destination.KindDomain, Subject: "other.test"}, Skipped: true},
	}}
	findings := []model.Finding{{Subject: "source", Message: "fine"}, {Level: model.LevelStop, Subject: "destination", Message: "no answer", Remedy: "start it", Err: io.EOF}}
	status := []ledger.AccountStatus{{Login: "anna@acme.test", State: "done", Mailboxes: 3, Octets: 7 << 20, Items: map[string]int64{"moved": 70, "pending": 2},
		LastRun: now.Add(-2 * time.Hour), LastVerify: now.Add(-time.Hour), Differences: 4}, {Login: "ben@acme.test", State: "failed", Error: "over quota"}}
	return map[string]func(io.Writer) error{
		"sync.txt":       func(w io.Writer) error { return SyncTable(w, sampleSync(), true) },
		"sync-bound.txt": func(w io.Writer) error { return SyncTable(w, boundSync(), false) },
		"sync-bound-objects.txt": func(w io.Writer) error {
			return SyncTable(w, engine.Result{Pace: engine.Pace{Source: 18 * time.Second, Destination: 82 * time.Second, InFlight: 4, Batch: 125,
				Objects: 12_000, Octets: 24 << 20, Elapsed: 100 * time.Second}}, false)
		},
		"share.txt":      func(w io.Writer) error { return ShareTable(w, sampleShares()) },
		"sync.csv":       func(w io.Writer) error { return SyncCSV(w, sampleSync()) },
		"verify.txt":     func(w io.Writer) error { return VerifyTable(w, sampleVerify()) },
		"verify.csv":     func(w io.Writer) error { return VerifyCSV(w, sampleVerify()) },
		"verify.html":    func(w io.Writer) error { return VerifyHTML(w, sampleVerify(), now) },
		"assess.txt":     func(w io.Writer) error { return AssessTable(w, sampleAssessment()) },
		"assess.csv":     func(w io.Writer) error { return AssessCSV(w, sampleAssessment()) },
		"assess.html":    func(w io.Writer) error { return AssessHTML(w, sampleAssessment()) },
		"assess.json":    func(w io.Writer) error { return WriteJSON(w, "assess", now, "v1", sampleAssessment()) },
		"provision.txt":  func(w io.Writer) error { return PlanTable(w, plan) },
		"provision.json": func(w io.Writer) error { return WriteJSON(w, "provision", now, "v1", Plan(plan)) },
		"check.txt":      func(w io.Writer) error { return FindingsTable(w, findings) },
		"check.json":     func(w io.Writer) error { return WriteJSON(w, "check", now, "v1", Findings(findings)) },
		"status.txt":     func(w io.Writer) error { return StatusTable(w, status, now) },
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, write := range renderings() {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, b.Bytes(), want)
		}
	}
}

// What comes from strangers does nothing in a browser, a spreadsheet or a
// terminal, and no password is in any report.
func TestNothingFromStrangersActs(t *testing.T) {
	t.Parallel()
	for name, write := range renderings() {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		s := b.String()
		if strings.Contains(s, "geheim") {
			t.Errorf("%s holds a password", name)
		}
		switch filepath.Ext(name) {
		case ".html":
			if strings.Contains(s, "<script") || strings.Contains(s, "ZgotmplZ") || strings.Contains(s, "http") {
				t.Errorf("%s holds a script, a link or something unsafe", name)
			}
		case ".csv":
			rows, err := csv.NewReader(&b).ReadAll()
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, r := range rows {
				for _, c := range r {
					if c != "" && strings.ContainsRune("=+-@", rune(c[0])) {
						t.Errorf("%s: a spreadsheet would compute %q", name, c)
					}
				}
			}
		case ".json":
			if !json.Valid([]byte(s)) {
				t.Errorf("%s is no JSON", name)
			}
		case ".txt":
			if strings.ContainsAny(s, "\x1b\r\t\x00") {
				t.Errorf("%s moves the cursor", name)
			}
		}
	}
}

func TestSave(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "reports")
	bad := errors.New("bad")
	paths, err := Save(dir, "sync", now, map[string]func(io.Writer) error{
		".csv": func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err },
		".txt": func(w io.Writer) error { return bad },
	})
	if !errors.Is(err, bad) || len(paths) != 1 || filepath.Base(paths[0]) != "20261124-150000-sync.csv" {
		t.Errorf("%v, %v", paths, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	csv := map[string]func(io.Writer) error{".csv": func(w io.Writer) error { _, err := io.WriteString(w, "y"); return err }}
	for _, want := range []string{"20261124-150000-sync-2.csv", "20261124-150000-sync-3.csv"} { // two more in the same second
		if paths, err = Save(dir, "sync", now, csv); err != nil || len(paths) != 1 || filepath.Base(paths[0]) != want {
			t.Errorf("%v, %v, want %s", paths, err, want)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "20261124-150000-sync.csv")); string(text) != "x" {
		t.Errorf("the first is now %q, %v", text, err)
	}
}
