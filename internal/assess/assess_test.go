package assess_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source/memory"
	"mailhaul.org/mailhaul/internal/stalwart"
)

var now = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)

func dial(t *testing.T, intercept func(sandbox.Call) *sandbox.Fault) *stalwart.Destination {
	t.Helper()
	box := sandbox.New(sandbox.Options{AdminUser: "migrate@acme.test", AdminPassword: "a long password 42", Intercept: intercept})
	url, err := box.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: url, User: "migrate@acme.test", Password: "a long password 42"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestAssess(t *testing.T) {
	t.Parallel()
	src := memory.New()
	anna := model.Account{Login: "anna", Address: "anna@acme.test", Password: "{CRAM-MD5}9186d855e11eba527a7a52ca82b313e180d62234f0acc9051b527243d41e2740"}
	ben := model.Account{Login: "ben", Address: "ben@acme.test"}
	for _, a := range []model.Account{anna, ben} {
		src.AddAccount(a)
	}
	deliver := func(mailbox, text string, at time.Time, flags model.Flags) {
		src.Deliver("anna", mailbox, text, flags, at)
	}
	deliver("INBOX", "Subject: fine\r\n\r\nbody\r\n", now.AddDate(-1, 0, 0), model.Flags{})
	deliver("INBOX", "no header at all", now.AddDate(-1, 0, 0), model.Flags{})
	deliver("INBOX", "", now.AddDate(-1, 0, 0), model.Flags{})
	deliver("INBOX", "Subject: nul\r\n\r\n\x00\r\n", now.AddDate(-1, 0, 0), model.Flags{})
	deliver("INBOX", "Subject: gr\xfc\xdfe\r\n\r\nx\r\n", now.AddDate(-1, 0, 0), model.Flags{})
	deliver("INBOX", "Subject: bare\n\nx\n", now.AddDate(-1, 0, 0), model.Flags{})
	deliver("INBOX", "Subject: epoch\r\n\r\n", time.Unix(0, 0), model.Flags{})
	deliver("INBOX", "Subject: future\r\n\r\n", now.AddDate(9, 0, 0), model.Flags{})
	deliver("INBOX", "Subject: marked\r\n\r\n", now.AddDate(-1, 0, 0), model.Flags{System: model.Deleted})
	src.AddMailbox("anna", "Work", model.RoleNone)
	src.AddMailbox("anna", "work", model.RoleNone)
	for i := range 60 {
		deliver("Work", "Subject: restored\r\n\r\n"+strings.Repeat("x", i), now.AddDate(0, -1, 0).Add(time.Duration(i)*time.Second), model.Flags{})
	}
	src.SetScripts("anna", model.Script{Name: "main", Content: []byte("require \"vnd.dovecot.pipe\";\npipe \"x\";\n"), Active: true})

	var wrote []string
	d := dial(t, func(c sandbox.Call) *sandbox.Fault {
		if strings.HasSuffix(c.Method, "/set") || strings.HasSuffix(c.Method, "/import") || strings.HasSuffix(c.Method, "upload") {
			wrote = append(wrote, c.Method)
		}
		return nil
	})
	ghost := model.Account{Login: "ghost", Address: "ghost@acme.test"}
	as, err := assess.Run(t.Context(), assess.Options{Source: src, Destination: d, Limits: d.Limits(), Sample: -1, Accounts: 2, Now: func() time.Time { return now }},
		[]model.Account{anna, ben, ghost})
	if err != nil {
		t.Fatal(err)
	}
	if len(wrote) > 0 {
		t.Errorf("an assessment wrote: %v", wrote)
	}
	a := as.Accounts[0]
	if a.Messages != 69 || a.Mailboxes != 3 || a.Scripts != 1 || a.Password != destination.PasswordReset || a.Exists == nil || *a.Exists || a.Risk != assess.RiskHigh {
		t.Errorf("%+v", a)
	}
	var codes []string
	for _, x := range a.Anomalies {
		codes = append(codes, x.Code)
		if x.Text == "" || x.Count == 0 {
			t.Errorf("an anomaly that says nothing: %+v", x)
		}
	}
	for _, want := range []string{"noHeader", "empty", "nul", "eightBit", "bareLF", "date", "deletedMark", "datesLost", "mailboxName", "script"} {
		if !slices.Contains(codes, want) {
			t.Errorf("no anomaly %q among %v", want, codes)
		}
	}
	if b := as.Accounts[1]; b.Risk != assess.RiskLow || b.Messages != 0 || b.Err != nil {
		t.Errorf("the empty account: %+v", b)
	}
	if g := as.Accounts[2]; g.Err == nil || g.Risk != assess.RiskHigh || as.Failed() != 1 {
		t.Errorf("the account that the source does not have: %+v", g)
	}
	if as.Total.Messages != 69 || as.Total.Anomalies["date"] != 2 || as.Total.Passwords[destination.PasswordReset] != 1 {
		t.Errorf("total: %+v", as.Total)
	}
	var sum int64
	for _, n := range as.Total.Sizes {
		sum += n
	}
	if sum != as.Total.Messages {
		t.Errorf("%d messages in classes of size, %d in all", sum, as.Total.Messages)
	}
}

// Before there is a destination the source can be assessed alone.
func TestWithoutDestination(t *testing.T) {
	t.Parallel()
	src := memory.New()
	anna := model.Account{Login: "anna", Address: "anna@acme.test"}
	src.AddAccount(anna)
	for range 500 {
		src.Deliver("anna", "INBOX", "Subject: x\r\n\r\n"+strings.Repeat("y", 20_000), model.Flags{}, now)
	}
	as, err := assess.Run(t.Context(), assess.Options{Source: src, Sample: 10, Accounts: 1}, []model.Account{anna})
	if err != nil {
		t.Fatal(err)
	}
	a := as.Accounts[0]
	if a.Exists != nil || a.Messages != 500 || a.Sampled.Messages < 10 || a.Sampled.Messages > 12 {
		t.Errorf("%+v", a)
	}
	if as.Duration.Estimate <= 0 || as.Duration.MessagesPerSecond <= 0 || as.Duration.Bottleneck == "" {
		t.Errorf("%+v", as.Duration)
	}
}
