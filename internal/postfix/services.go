package postfix

import (
	"io"
	"strings"

	"mailhaul.org/mailhaul/internal/postfix/table"
)

// Service is one of master.cf (master(5)).
type Service struct {
	// Name is what transports call it: "vacation", "mailman".
	Name string
	// Command is the daemon: "pipe", "smtp", "lmtp".
	Command string
	// Program is what a pipe(8) runs, with its arguments; or empty.
	Program string
}

// ParseServices reads master.cf, or what "postconf -M" prints. Lines that are
// none are left out: nothing but the names of pipes is needed of it.
func ParseServices(r io.Reader) []Service {
	var out []Service
	var failed error // what was read so far serves
	for _, line := range table.LogicalLines(r, &failed) {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		s := Service{Name: f[0], Command: f[7]}
		if s.Command == "pipe" {
			for i, a := range f[8:] {
				if program, ok := strings.CutPrefix(a, "argv="); ok {
					s.Program = strings.Join(append([]string{program}, f[8+i+1:]...), " ")
					break
				}
			}
		}
		out = append(out, s)
	}
	return out
}

// pipe returns the program that a transport hands mail to.
func (s Settings) pipe(transport string) (string, bool) {
	name, _, _ := strings.Cut(transport, ":")
	for _, v := range s.Services {
		if v.Name == name && v.Command == "pipe" {
			return v.Program, true
		}
	}
	return "", false
}
