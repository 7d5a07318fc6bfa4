package lab

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

// A message that its user delivers is there after a restart, for the user and
// for the proxy login, with either way to spell names; a wrong password is
// refused.
func TestCyrus(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		settings map[string]string
		inbox    string // as the administrator writes it
	}{
		"slashes":          {nil, "user/anna"},
		"dots, no altname": {map[string]string{"unixhierarchysep": "no", "altnamespace": "no"}, "user.anna"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := StartCyrus(t, CyrusOptions{Users: map[string]string{"anna": annaPassword}, Settings: x.settings})
			do := func(login func(*imapclient.Client) error, fn func(*imapclient.Client)) {
				t.Helper()
				client, err := imapclient.DialInsecure(c.IMAP, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				if err := login(client); err != nil {
					t.Fatal(err)
				}
				fn(client)
			}
			as := func(authzid, user, password string) func(*imapclient.Client) error {
				return func(c *imapclient.Client) error {
					return c.Authenticate(sasl.NewPlainClient(authzid, user, password))
				}
			}
			do(as("", c.Admin, c.AdminPassword), func(client *imapclient.Client) {
				if err := client.Create(x.inbox, nil).Wait(); err != nil {
					t.Fatal(err)
				}
			})
			do(as("", "anna", annaPassword), func(client *imapclient.Client) {
				text := "Subject: x\r\n\r\ny\r\n"
				a := client.Append("INBOX", int64(len(text)), nil)
				if _, err := a.Write([]byte(text)); err != nil {
					t.Fatal(err)
				}
				if err := a.Close(); err != nil {
					t.Fatal(err)
				}
				if _, err := a.Wait(); err != nil {
					t.Fatal(err)
				}
			})
			c.Restart(t)
			do(as("anna", c.Proxy, c.ProxyPassword), func(client *imapclient.Client) {
				if box, err := client.Select("INBOX", nil).Wait(); err != nil || box.NumMessages != 1 {
					t.Errorf("INBOX %+v, %v", box, err)
				}
			})
			if out := c.Run(t, "mbpath", x.inbox); !strings.HasPrefix(out, c.Dir) {
				t.Errorf("mbpath: %q", out)
			}
			client, err := imapclient.DialInsecure(c.IMAP, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if err := as("", "anna", "wrong")(client); err == nil {
				t.Error("a wrong password is let in")
			}
			left := processesIn(c.namespace)
			if len(left) == 0 {
				t.Error("no process is known")
			}
			c.Stop()
			for _, pid := range left {
				if text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline"); err == nil && strings.Contains(string(text), c.Dir) {
					t.Errorf("process %d is left: %q", pid, text)
				}
			}
		})
	}
}
