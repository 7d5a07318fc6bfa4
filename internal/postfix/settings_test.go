package postfix_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/postfix"
)

const mainCF = `# comment
myhostname = mail.acme.test
mydomain = acme.test
myorigin = $mydomain
mydestination = $myhostname, localhost.$mydomain,
# within
    localhost ${mydomain}
maps = ldap:/etc/postfix
virtual_alias_maps = ${maps}/a.cf,
	proxy:${maps}/b.cf hash:$config_directory/virtual
relayhost = ${myorigin?{[smart.$mydomain]}:{none}}
recipient_delimiter = ${nothing:+}
always_bcc = ${mydomain?all@$mydomain}
empty =
luser_relay = $user@other.test
masquerade_domains = ${{$mydomain} == {acme.test} ? {yes.$mydomain} : {no}}
twice = one
twice = two
`

// Values are resolved as the real postconf -x resolves them; what postconf -n
// prints is read as main.cf is.
func TestSettings(t *testing.T) {
	t.Parallel()
	p := lab.NewPostfix(t)
	if err := os.WriteFile(filepath.Join(p.Dir, "main.cf"), []byte(mainCF), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Configure(t)
	fromFile, err := postfix.Find(t.Context(), p.Dir, "")
	must(t, err)
	printed := filepath.Join(t.TempDir(), "postconf.txt")
	must(t, os.WriteFile(printed, []byte(p.Run(t, "", "postconf", "-n")+"config_directory = "+p.Dir+"\n"), 0o644))
	fromPrint, err := postfix.Find(t.Context(), printed, "")
	must(t, err)
	names := []string{"myhostname", "mydomain", "myorigin", "mydestination", "virtual_alias_maps", "virtual_alias_domains", "virtual_mailbox_domains", "relayhost", "recipient_delimiter",
		"always_bcc", "masquerade_domains", "virtual_transport", "local_transport", "default_database_type", "propagate_unmatched_extensions", "relay_domains", "smtpd_sender_login_maps",
		"canonical_maps", "transport_maps", "forward_path", "allow_mail_to_commands"}
	want := map[string]string{}
	for line := range strings.Lines(p.Run(t, "", "postconf", append([]string{"-x"}, names...)...)) {
		name, value, _ := strings.Cut(line, "=")
		want[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), " ")
	}
	for from, s := range map[string]postfix.Settings{"main.cf": fromFile, "postconf -n": fromPrint} {
		got := map[string]string{}
		for _, n := range names {
			got[n] = strings.Join(strings.Fields(s.Get(n)), " ")
		}
		if from == "main.cf" && p.Dir != "" { // compiled in otherwise
			got["virtual_alias_maps"] = strings.ReplaceAll(got["virtual_alias_maps"], "/etc/postfix/virtual", p.Dir+"/virtual")
			got["virtual_alias_domains"] = strings.ReplaceAll(got["virtual_alias_domains"], "/etc/postfix/virtual", p.Dir+"/virtual")
		}
		delete(got, "forward_path") // $home and the like are the recipient's
		delete(want, "forward_path")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", from, diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(mainCF)
	f.Add("a = ${a}\nb = $c\nc = ${b?{$b}:{${c}}}")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := postfix.Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, name := range []string{"a", "b", "mydestination", "virtual_alias_maps", "relayhost"} {
			s.Get(name)
			s.Tables(name)
		}
		postfix.ParseServices(strings.NewReader(text))
	})
}

func FuzzSplitAddresses(f *testing.F) {
	for _, s := range []string{`a@b, "x y"@z`, `"|cmd -a, b", /file, :include:/x`, `Name Here <a@b> (comment), \root`, `a b,c`, `<`, `"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range postfix.SplitAddresses(s) {
			if a == "" && !strings.Contains(s, "<") {
				t.Errorf("%q has an empty address", s)
			}
		}
	})
}

// Right sides as people write them.
func TestSplitAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"a@x, b@y":                           {"a@x", "b@y"},
		"a@x b@y":                            {"a@x", "b@y"},
		`"|/usr/bin/x -a, b", /var/f`:        {"|/usr/bin/x -a, b", "/var/f"},
		`"with blank"@x, :include:/list`:     {`"with blank"@x`, ":include:/list"},
		"Anna K <anna@x>, <b@y>":             {"anna@x", "b@y"},
		"a@x (the boss (really)), ,b@y":      {"a@x", "b@y"},
		`\anna, "quoted, comma"@x, "plain"`:  {`\anna`, `"quoted, comma"@x`, `"plain"`},
		"":                                   nil,
		"|/usr/bin/vacation":                 {"|/usr/bin/vacation"},
		`":include:/a b", "/home/x/Mail/in"`: {":include:/a b", "/home/x/Mail/in"},
	} {
		if diff := cmp.Diff(want, postfix.SplitAddresses(text)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}
