package cyrusconf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServices(t *testing.T) {
	t.Parallel()
	text := `# standard
START {
  recover	cmd="/usr/sbin/ctl_cyrusdb -r"
}
SERVICES {
  imap		cmd="imapd -U 30" listen="imap" prefork=0 maxchild=100
  imaps cmd="/usr/lib/cyrus/bin/imapd -s -U 30" listen="[127.0.0.1]:imaps"
  # pop3 cmd="pop3d" listen="pop3"
  lmtpunix cmd="lmtpd" listen="/run/cyrus/socket/lmtp"
  sieve cmd="timsieved" \
    listen="0.0.0.0:2000"
  http cmd = "httpd" listen = "*:8080"
  six cmd="imapd" listen="[::1]:143"
  broken listen="x"
  odd cmd="imapd" listen="nosuchservice"
}
EVENTS {
  imap cmd="imapd" listen="999"
}
`
	got, err := ParseServices(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Service{{Name: "imap", Program: "imapd", Port: 143}, {Name: "imaps", Program: "imapd", Host: "127.0.0.1", Port: 993, TLS: true},
		{Name: "lmtpunix", Program: "lmtpd"}, {Name: "sieve", Program: "timsieved", Port: 2000}, {Name: "http", Program: "httpd", Port: 8080}, {Name: "six", Program: "imapd", Host: "::1", Port: 143}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for program, want := range map[string]string{"imapd": "imaps://127.0.0.1", "timsieved": "sieve://mail.test:2000", "httpd": "http://mail.test:8080", "pop3d": ""} {
		if u := URL(got, program, "mail.test"); u != want {
			t.Errorf("%s: %q, want %q", program, u, want)
		}
	}
	if u := URL(got[5:], "imapd", "mail.test"); u != "imap://[::1]" {
		t.Error(u)
	}
}

func FuzzServices(f *testing.F) {
	f.Add("SERVICES {\n imap cmd=\"imapd -s\" listen=\"[::]:993\"\n}")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseServices(strings.NewReader(text))
		for _, s := range all {
			if err == nil && s.Program == "" {
				t.Fatalf("%q: %+v", text, s)
			}
		}
	})
}
