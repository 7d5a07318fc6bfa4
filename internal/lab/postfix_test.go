package lab_test

import (
	"net/smtp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sample"
)

// A Postfix of the lab takes mail and sends it where its tables say.
func TestPostfix(t *testing.T) {
	t.Parallel()
	p := lab.NewPostfix(t)
	d := sample.NewDirectory(sample.DirectoryOptions{People: 20})
	if err := d.WritePasswd(p.Dir, "lmdb"); err != nil {
		t.Fatal(err)
	}
	p.Configure(t)
	for _, table := range []string{"domains", "mailboxes", "virtual"} {
		p.Run(t, "", "postmap", "lmdb:"+filepath.Join(p.Dir, table))
	}
	p.Run(t, "", "postalias", "hash:"+filepath.Join(p.Dir, "aliases"))
	if types := p.Run(t, "", "postconf", "-m"); !strings.Contains(types, "mysql") || !strings.Contains(types, "pcre") {
		t.Errorf("types of tables: %s", types)
	}
	if got := p.Run(t, "", "postmap", "-q", "press@acme.test", "lmdb:"+filepath.Join(p.Dir, "virtual")); got != "agency@outside.test\n" {
		t.Errorf("press@acme.test → %q", got)
	}
	sink := lab.StartSink(t)
	p.Start(t, sink.Addr)
	if _, err := os.Stat(p.Dir); err != nil {
		t.Fatal(err)
	}
	const to = "abuse@acme-old.test"
	if err := smtp.SendMail(p.SMTP, nil, "tester@outside.test", []string{to}, []byte("Subject: "+to+"\r\n\r\nHello\r\n")); err != nil {
		t.Fatal(err)
	}
	want := d.Recipients(to)
	if !sink.Await(30*time.Second, func() bool { return slices.Equal(sink.Recipients(to), want) }) {
		t.Errorf("%s → %q, want %q", to, sink.Recipients(to), want)
	}
	err := smtp.SendMail(p.SMTP, nil, "tester@outside.test", []string{"nobody@acme.test"}, []byte("Subject: no\r\n\r\nHello\r\n"))
	if err == nil || !strings.Contains(err.Error(), "unknown") {
		t.Errorf("mail to nobody: %v", err)
	}
}
