package location

import (
	"os"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

func TestExpand(t *testing.T) {
	t.Parallel()
	a := model.Account{Login: "Anna@Acme.test", Home: "/home/anna"}
	for template, want := range map[string]string{
		"/srv/%d/%n/Maildir": "/srv/Acme.test/Anna/Maildir", "/srv/%Ld/%Ln": "/srv/acme.test/anna", "%h/Maildir": "/home/anna/Maildir",
		"~/Maildir": "/home/anna/Maildir", "/srv/%u": "/srv/Anna@Acme.test", "/a%%b": "/a%b",
		"/srv/%{user | domain | lower}/%{user|username}": "/srv/acme.test/Anna",
	} {
		if got, err := Expand(template, a); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", template, got, err, want)
		}
	}
	for _, template := range []string{"relative/%n", "%%/x", "/%Hu", "/%", "/%{user", "/%é", "/%{user|md5}", "/%s"} {
		if got, err := Expand(template, a); err == nil {
			t.Errorf("%q gave %q", template, got)
		}
	}
	if got, err := Expand("/srv/%n", model.Account{Login: "../../etc@x"}); err == nil {
		t.Errorf("a login led to %q", got)
	}
}

func TestAbsolute(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for template, want := range map[string]string{"": "", "%h/Maildir": "%h/Maildir", "~/Maildir": "~/Maildir", "/srv/%u": "/srv/%u", "mail/%d/%n": here + "/mail/%d/%n", "./%u": here + "/%u"} {
		if got := Absolute(template); got != want {
			t.Errorf("%q is %q, want %q", template, got, want)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add("/srv/%d/%n/Maildir", "anna@acme.test")
	f.Add("/\x80%n", "0")
	f.Add("/%{user | domain | lower}/%Ln", "../x@..")
	f.Fuzz(func(t *testing.T, template, login string) {
		path, err := Expand(template, model.Account{Login: login})
		if err == nil && !strings.HasPrefix(path, "/") {
			t.Fatalf("%q for %q: %q", template, login, path)
		}
		if pattern, read, ok := Matcher(template); ok {
			_, _ = read(path)
			if pattern == "" {
				t.Fatalf("no pattern for %q", template)
			}
		}
	})
}
