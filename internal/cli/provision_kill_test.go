package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sample"
)

// A provisioning that is killed again and again, after any number of octets that
// it has sent, is continued by the next and ends as one that nobody has
// disturbed: everything is there, once. A further run changes nothing, and
// neither does one that has lost its memory.
func TestProvisionKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the program and kills it many times")
	}
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := sample.NewDirectory(sample.DirectoryOptions{People: 60})
			undisturbed, u := newOrganiser(t, d, start(t))
			before := u.line.Sent.Load()
			undisturbed.provision(true)
			size := u.line.Sent.Load() - before
			want := u.describe(t)

			m, to := newOrganiser(t, d, start(t))
			times, _ := kills(t)
			rng, seed := random(t)
			working, last := 0, 0
			for n := range times {
				// A run begins by looking at what is there, the longer the more.
				most := rng.Int64N(size/int64(times)*2+1) + size*int64(n)/int64(4*times)
				if _, ended := killed(t, exec.Command(program(t), "-c", m.config, "provision"), to.line, most); ended {
					t.Logf("seed %d: the run before kill %d came to its end", seed, n+1)
					break
				}
				if made := len(to.describe(t)); made > last {
					working, last = working+1, made
				}
			}
			t.Logf("seed %d: %d of the killed runs had made something; %d of %d things are there", seed, working, last, len(want))
			if working < 3 {
				t.Errorf("seed %d: only %d runs were killed while they worked", seed, working)
			}
			m.provision(true)
			if diff := cmp.Diff(want, to.describe(t)); diff != "" {
				t.Errorf("seed %d: after %d kills the destination is not what it is without: %s", seed, times, diff)
			}
			m.provision(false)
			if err := os.RemoveAll(m.folder); err != nil {
				t.Fatal(err)
			}
			m.provision(false)
			if diff := cmp.Diff(want, to.describe(t)); diff != "" {
				t.Errorf("seed %d: further runs change something: %s", seed, diff)
			}
		})
	}
}

// organiser is an administrator who provisions the sample directory.
type organiser struct {
	administrator
	folder string // of the engagement
}

// watched is a server behind a line that counts.
type watched struct {
	target
	direct string // the URL without the line
	line   *lab.Proxy
}

func newOrganiser(t *testing.T, d *sample.Directory, to target) (organiser, watched) {
	t.Helper()
	line := lab.StartProxy(t, strings.TrimPrefix(to.url, "http://"))
	w := watched{to, to.url, line}
	dir := t.TempDir()
	if err := d.WritePasswd(dir, "texthash"); err != nil {
		t.Fatal(err)
	}
	m := organiser{administrator{t: t, config: filepath.Join(dir, "mailhaul.yaml")}, filepath.Join(dir, "state")}
	text := fmt.Sprintf("engagement: ./state\nsource:\n  kind: imap\n  imap: {url: imaps://mail.old.test, master: m, password: inline:x}\n  postfix: .\n  users: {passwd: users}\ninsecure_inline_secrets: true\n"+
		"destination: {url: %q, user: %q, password: %q}\n", "http://"+line.Addr, to.user, "inline:"+to.password)
	if err := os.WriteFile(m.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return m, w
}

// provision runs to the end; writes tells whether it may have anything to write.
func (m organiser) provision(writes bool) {
	m.t.Helper()
	var plan struct {
		Actions []struct{ Verb, Kind, Subject, Note string }
	}
	m.result(cli.ExitOK, &plan, "provision")
	if len(plan.Actions) == 0 {
		m.t.Error("an empty plan")
	}
	for _, a := range plan.Actions {
		if !writes && destination.Verb(a.Verb).Writes() {
			m.t.Errorf("it has to %s %s %s (%s)", a.Verb, a.Kind, a.Subject, a.Note)
		}
	}
}

// describe says what the server has, a line for each thing, without what two
// servers differ in: ids, and hashes of passwords that came in clear text.
func (w watched) describe(t *testing.T) (lines []string) {
	t.Helper()
	c, err := jmap.Dial(t.Context(), jmap.Config{URL: w.direct, User: w.user, Password: w.password})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ask := func(method string, arguments any) []map[string]any {
		t.Helper()
		r := jmap.NewRequest("urn:stalwart:jmap", "urn:ietf:params:jmap:sieve", "urn:ietf:params:jmap:vacationresponse", "urn:ietf:params:jmap:submission")
		id := r.Call(method, arguments)
		resp, err := c.Do(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ List []map[string]any }
		if err := resp.Decode(id, &got); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		return got.List
	}
	all := func(object string) []map[string]any {
		r := jmap.NewRequest("urn:stalwart:jmap")
		id := r.Call(object+"/query", map[string]any{"limit": 900})
		resp, err := c.Do(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ IDs []string }
		if err := resp.Decode(id, &got); err != nil {
			t.Fatal(err)
		}
		var out []map[string]any
		for part := range slices.Chunk(got.IDs, 200) {
			out = append(out, ask(object+"/get", map[string]any{"ids": part})...)
		}
		return out
	}
	// Ids become names.
	names := map[string]string{}
	domains, accounts, lists := all("x:Domain"), all("x:Account"), all("x:MailingList")
	for _, d := range domains {
		names[d["id"].(string)] = d["name"].(string)
	}
	for _, a := range accounts {
		names[a["id"].(string)] = fmt.Sprint(a["name"], "@", names[a["domainId"].(string)])
	}
	var named func(v any) any
	named = func(v any) any {
		switch v := v.(type) {
		case string:
			if n, ok := names[v]; ok {
				return n
			}
		case []any:
			for i := range v {
				v[i] = named(v[i])
			}
		case map[string]any:
			for k, x := range v {
				delete(v, k)
				if n, ok := names[k]; ok {
					k = n
				}
				v[k] = named(x)
			}
		}
		return v
	}
	line := func(kind, of string, v map[string]any, keep ...string) {
		short := map[string]any{}
		for _, k := range keep {
			if x, ok := v[k]; ok {
				short[k] = named(x)
			}
		}
		b, err := json.Marshal(short)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, kind+" "+of+" "+string(b))
	}
	for _, d := range domains {
		line("domain", "", d, "name", "aliases", "catchAllAddress", "dnsManagement", "allowRelaying")
	}
	for _, a := range accounts {
		of := names[a["id"].(string)]
		line("account", of, a, "@type", "description", "locale", "timeZone", "aliases", "memberGroupIds", "permissions", "quotas")
		if credentials, ok := a["credentials"].(map[string]any); ok {
			lines = append(lines, fmt.Sprint("credentials ", of, " ", len(credentials)))
		}
		for _, s := range ask("SieveScript/get", map[string]any{"accountId": a["id"], "ids": nil}) {
			line("script", of, s, "name", "isActive")
		}
		for _, v := range ask("VacationResponse/get", map[string]any{"accountId": a["id"], "ids": nil}) {
			line("vacation", of, v, "isEnabled", "subject", "textBody")
		}
		for _, i := range ask("Identity/get", map[string]any{"accountId": a["id"], "ids": nil}) {
			line("identity", of, i, "name", "email", "textSignature")
		}
	}
	for _, l := range lists {
		line("list", "", l, "name", "domainId", "description", "aliases", "recipients")
	}
	slices.Sort(lines)
	return lines
}
