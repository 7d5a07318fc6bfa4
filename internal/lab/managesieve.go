package lab

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// PutScript stores a Sieve script and makes it the active one, over
// ManageSieve (RFC 5804) at addr, as user by the password of another login.
func PutScript(t testing.TB, addr, user, login, password, name, text string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	plain := base64.StdEncoding.EncodeToString([]byte(user + "\x00" + login + "\x00" + password))
	for _, command := range []string{"", // the greeting comes unasked
		fmt.Sprintf("AUTHENTICATE \"PLAIN\" %q\r\n", plain),
		fmt.Sprintf("PUTSCRIPT {%d+}\r\n%s {%d+}\r\n%s\r\n", len(name), name, len(text), text),
		fmt.Sprintf("SETACTIVE {%d+}\r\n%s\r\n", len(name), name),
	} {
		if _, err := io.WriteString(conn, command); err != nil {
			t.Fatal(err)
		}
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(line, "OK") {
				break
			}
			if strings.HasPrefix(line, "NO") || strings.HasPrefix(line, "BYE") {
				t.Fatalf("%.40s: %s", command, line)
			}
		}
	}
}
