package cyrusconf

import (
	"bufio"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Service is a listener of cyrus.conf.
type Service struct {
	Name string // "imaps"
	// Program is what answers: "imapd", "timsieved", "httpd", "lmtpd".
	Program string
	// Host is the address, or empty: all of the server's. Port is 0 for a
	// socket in the file system.
	Host string
	Port int
	TLS  bool // from the start
}

// usualPorts are services that a listener may name instead of a number
// (services(5)).
var usualPorts = map[string]int{"imap": 143, "imaps": 993, "sieve": 4190, "http": 80, "https": 443, "pop3": 110, "pop3s": 995, "lmtp": 24, "nntp": 119, "nntps": 563, "csync": 2005}

// ReadServices reads the listeners of a cyrus.conf.
func ReadServices(path string) ([]Service, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ParseServices(f)
}

// ParseServices reads the section SERVICES: lines of a name and of values in
// quotes (cyrus.conf(5)). What it does not understand is left out.
func ParseServices(r io.Reader) (out []Service, err error) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	section, pending := "", ""
	for in.Scan() {
		line := strings.TrimSpace(pending + in.Text())
		pending = ""
		if line == "" || line[0] == '#' {
			continue
		}
		if cont, ok := strings.CutSuffix(line, `\`); ok {
			pending = cont
			continue
		}
		switch {
		case strings.HasSuffix(line, "{"):
			section = strings.ToUpper(strings.TrimSpace(strings.TrimSuffix(line, "{")))
		case line == "}":
			section = ""
		case section == "SERVICES":
			at := strings.IndexAny(line+" ", " \t")
			if s, ok := service(line[:at], values(line[at:])); ok {
				out = append(out, s)
			}
		}
	}
	return out, in.Err()
}

// values reads key="value" pairs, which may be without quotes.
func values(s string) map[string]string {
	out := map[string]string{}
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			break
		}
		rest = strings.TrimSpace(rest)
		end := " "
		if strings.HasPrefix(rest, `"`) {
			rest, end = rest[1:], `"`
		}
		value, after, _ := strings.Cut(rest, end)
		out[strings.ToLower(strings.TrimSpace(key))], s = value, after
	}
	return out
}

func service(name string, v map[string]string) (s Service, ok bool) {
	words := strings.Fields(v["cmd"])
	if len(words) == 0 || v["listen"] == "" {
		return s, false
	}
	s = Service{Name: name, Program: filepath.Base(words[0])}
	for _, w := range words[1:] {
		s.TLS = s.TLS || w == "-s"
	}
	listen := v["listen"]
	if strings.HasPrefix(listen, "/") {
		return s, true
	}
	port := listen
	if i := strings.LastIndexByte(listen, ':'); i >= 0 {
		s.Host, port = strings.Trim(listen[:i], "[]"), listen[i+1:]
	}
	if s.Host == "*" || s.Host == "0.0.0.0" || s.Host == "::" {
		s.Host = ""
	}
	var err error
	if s.Port, err = strconv.Atoi(port); err != nil {
		s.Port = usualPorts[port]
	}
	return s, s.Port > 0
}

// URL is how to reach the first listener of a program, with TLS from the start
// if there is one: "imaps://host", "sieve://host:2000". It is empty where none
// listens. host is the server, for listeners on all addresses.
func URL(all []Service, program, host string) string {
	var found *Service
	for i, s := range all {
		if s.Program == program && s.Port > 0 && (found == nil || s.TLS && !found.TLS) {
			found = &all[i]
		}
	}
	if found == nil {
		return ""
	}
	scheme, usual := "sieve", 4190
	switch {
	case program == "imapd" && found.TLS:
		scheme, usual = "imaps", 993
	case program == "imapd":
		scheme, usual = "imap", 143
	case program == "httpd" && found.TLS:
		scheme, usual = "https", 443
	case program == "httpd":
		scheme, usual = "http", 80
	}
	if found.Host != "" {
		host = found.Host
	}
	if found.Port != usual {
		return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(found.Port))
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return scheme + "://" + host
}
