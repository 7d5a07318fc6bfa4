package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// The embedded destination's migrator; it listens on this host only, for as
// long as the demo runs.
const (
	demoUser     = "migrate@" + sample.Domain
	demoPassword = "a-password-for-the-demo"
)

func (a *app) demoCommand() *cobra.Command {
	var keep string
	o := sample.Options{Oddities: true}
	cmd := &cobra.Command{
		Use: "demo", Short: "Do all of it on a sample organisation, into the embedded destination", Args: cobra.NoArgs,
		Long: `Make a sample organisation in a temporary folder: mail as a Dovecot with Maildirs
would have it, calendars, contacts and files in folders beside it. Then start the embedded destination, and run every command of a
migration on them. Nothing outside the folder is touched.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir := keep
			if dir == "" {
				tmp, err := os.MkdirTemp("", "mailhaul-demo-")
				if err != nil {
					return err
				}
				defer os.RemoveAll(tmp)
				dir = tmp
			} else if _, err := os.Stat(filepath.Join(dir, "mail")); err == nil {
				return fmt.Errorf("%s holds a demo already; name another folder", dir)
			}
			o.Now = a.now()
			return a.demo(cmd.Context(), dir, o)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Accounts, "accounts", 12, "`accounts` of the sample organisation")
	f.IntVar(&o.Messages, "messages", 1500, "`messages` of the sample organisation")
	f.StringVar(&keep, "keep", "", "make it in this `folder` and leave it there")
	return cmd
}

// demo runs the commands one after the other, as an administrator would.
func (a *app) demo(ctx context.Context, dir string, o sample.Options) error {
	mail, err := filepath.Abs(filepath.Join(dir, "mail"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(mail, 0o700); err != nil {
		return err
	}
	org := sample.New(o)
	if err := org.WriteMaildir(mail); err != nil {
		return err
	}
	if err := demoPostfix(filepath.Join(mail, "postfix"), org); err != nil {
		return err
	}
	objects, err := filepath.Abs(filepath.Join(dir, "objects"))
	if err != nil {
		return err
	}
	events, contacts, files, err := org.WriteVdir(objects)
	if err != nil {
		return err
	}
	server := sandbox.New(sandbox.Options{AdminUser: demoUser, AdminPassword: demoPassword, AdminWithout: []string{"calendarSchedulingSend"}})
	url, err := server.Start()
	if err != nil {
		return err
	}
	defer server.Close()
	file := filepath.Join(dir, "mailhaul.yaml")
	if err := os.WriteFile(file, demoConfig(mail, objects, url), 0o600); err != nil {
		return err
	}
	out := a.Out
	if a.json {
		out = a.Err
	}
	accounts, mailboxes, messages, octets := org.Totals()
	fmt.Fprintf(out, "A sample organisation: %s, %s, %s, %d MiB of mail; %s, %s and %s.\n", plural.Count(accounts, "account"), plural.Count(mailboxes, "mailbox"), plural.Count(messages, "message"), octets>>20,
		plural.Count(events, "event"), plural.Count(contacts, "contact"), plural.Count(files, "file"))
	steps := [][]string{{"check"}, {"assess"}, {"organisation"}, {"provision", "--dry-run"}, {"provision"}, {"sync", "--wave", "pilot"}, {"sync"}, {"sync"}, {"verify"}, {"share"}, {"provision"}, {"status"}}
	type step struct {
		Command string `json:"command"`
		Exit    int    `json:"exit"`
	}
	var done []step
	worst := ExitOK
	for _, s := range steps {
		line := strings.Join(s, " ")
		fmt.Fprintf(out, "\n$ mailhaul %s\n\n", line)
		sub := &app{Streams: Streams{Out: out, Err: a.Err}, version: a.version, now: a.now}
		root := sub.root()
		root.SetArgs(append([]string{"-c", file}, s...))
		err := root.ExecuteContext(ctx)
		code := exitCode(err)
		done = append(done, step{line, code})
		if quiet := (exit{}); err != nil && !errors.As(err, &quiet) {
			return fmt.Errorf("mailhaul %s: %w", line, err)
		}
		worst = max(worst, code)
	}
	if a.json {
		return a.show("demo", map[string]any{"folder": dir, "steps": done}, func(io.Writer) error { return nil })
	}
	return outcome(worst)
}

func demoConfig(mail, objects, url string) []byte {
	return fmt.Appendf(nil, `# The demo's engagement: what the commands above were run with.
engagement: ./engagement
source:
  kind: maildir
  maildir: {path: %q}
  vdir: {calendars: %q, contacts: %q, files: %q}
  users: {passwd: %q}
  postfix: %q
destination:
  url: %q
  user: %s
  password: inline:%s
waves:
  pilot: [anna@%s]
  rest: ["*"]
`, mail+"/%d/%n/Maildir", objects+"/calendars/%u", objects+"/contacts/%u", objects+"/files/%u", filepath.Join(mail, "users"), filepath.Join(mail, "postfix"), url, demoUser, demoPassword, sample.Domain)
}

// demoPostfix lays out what a Postfix beside that Dovecot would say: a list, an
// alias, an address that leads outside, a catch-all, and somebody whose mail is
// sent on.
func demoPostfix(dir string, org *sample.Organisation) error {
	var logins []string
	for _, a := range org.Accounts {
		if strings.HasSuffix(a.Login, "@"+sample.Domain) {
			logins = append(logins, a.Login)
		}
	}
	if len(logins) == 0 {
		return nil
	}
	at := func(n int) string { return logins[n%len(logins)] }
	var mailboxes strings.Builder
	for _, l := range logins {
		fmt.Fprintf(&mailboxes, "%s %s/\n", l, l)
	}
	files := map[string]string{
		"main.cf": fmt.Sprintf("alias_maps =\nvirtual_mailbox_domains = %s\nvirtual_mailbox_maps = texthash:%s\nvirtual_alias_maps = texthash:%s\n",
			sample.Domain, filepath.Join(dir, "mailboxes"), filepath.Join(dir, "virtual")),
		"mailboxes": mailboxes.String(),
		"virtual": strings.NewReplacer("DOMAIN", sample.Domain, "ONE", at(0), "TWO", at(1), "THREE", at(2)).Replace(`postmaster@DOMAIN ONE
team@DOMAIN ONE, TWO, partner@outside.test
everybody@DOMAIN team@DOMAIN, THREE
press@DOMAIN agency@outside.test
TWO TWO, copy@outside.test
@DOMAIN ONE
`),
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
