package sample

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/lab"
)

// Where a script files to, there is a mailbox, or the script makes it.
func TestScriptsFileIntoMailboxesThatExist(t *testing.T) {
	t.Parallel()
	into := regexp.MustCompile(`fileinto "([^"]+)"`)
	n := 0
	for _, a := range New(Options{Accounts: 12, Oddities: true}).Accounts {
		active := 0
		for _, s := range a.Scripts {
			if s.Active {
				active++
			}
			for _, m := range into.FindAllSubmatch(s.Content, -1) {
				n++
				if a.Mailbox(strings.Split(string(m[1]), ".")...) == nil && s.Name != brokenScript.Name {
					t.Errorf("%s: script %s files into %q", a.Login, s.Name, m[1])
				}
			}
		}
		if active > 1 {
			t.Errorf("%s: %d active scripts", a.Login, active)
		}
	}
	if n < 5 {
		t.Errorf("only %d times fileinto", n)
	}
}

// checkScripts compares what ManageSieve lists with the account's scripts, and
// has the server check each: valid says which compile there.
func checkScripts(t *testing.T, d *lab.Dovecot, a *Account, valid map[string]bool) {
	t.Helper()
	conn, err := net.Dial("tcp", d.Sieve)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(conn)
	// answer reads up to the status (RFC 5804 §1.3).
	answer := func() (lines []string, ok bool) {
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatalf("ManageSieve: %v after %q", err, lines)
			}
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "OK") || strings.HasPrefix(line, "NO") {
				return append(lines, line), line[0] == 'O'
			}
			lines = append(lines, line)
		}
	}
	answer()
	fmt.Fprintf(conn, "AUTHENTICATE \"PLAIN\" %q\r\n", base64.StdEncoding.EncodeToString([]byte("\x00"+a.Login+"\x00"+a.Password)))
	if lines, ok := answer(); !ok {
		t.Fatalf("%s: ManageSieve login: %q", a.Login, lines)
	}
	fmt.Fprintf(conn, "LISTSCRIPTS\r\n")
	got, _ := answer()
	got = got[:len(got)-1]
	var want []string
	for _, s := range a.Scripts {
		line := `"` + s.Name + `"`
		if s.Active {
			line += " ACTIVE"
		}
		want = append(want, line)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: scripts %q, want %q", a.Login, got, want)
	}
	for _, s := range a.Scripts {
		fmt.Fprintf(conn, "CHECKSCRIPT {%d+}\r\n%s\r\n", len(s.Content), s.Content)
		if lines, ok := answer(); ok != valid[s.Name] {
			t.Errorf("%s: script %s: compiles %v: %q", a.Login, s.Name, ok, lines)
		}
	}
}
