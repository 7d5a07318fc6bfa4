package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// SlapdOptions say what a directory server holds.
type SlapdOptions struct {
	// Schema is more schema, in the notation of slapd.conf(5); what a server
	// of our own design has beside core, cosine, inetorgperson and nis.
	Schema string
	// SizeLimit is how many entries the server gives for one search without
	// pages; 0 means no limit. Real servers give 500 or 1,000.
	SizeLimit int
}

// Slapd is a running OpenLDAP server that only knows its own root entry.
type Slapd struct {
	// Addr (plain text and StartTLS) and TLSAddr are "127.0.0.1:port".
	Addr, TLSAddr string
	// CA is a PEM file with the certificate to trust.
	CA string
	// Base is the directory's root, "dc=acme,dc=test".
	Base string
	// Admin may do everything; anybody may read everything but passwords;
	// Reader, once it is added, may read those, too.
	Admin, AdminPassword, Reader string

	*Daemon
	conn *ldap.Conn // as the administrator
}

// StartSlapd starts a server from Debian's packages and stops it when the test
// ends. The test is skipped where the packages cannot be had.
func StartSlapd(t testing.TB, o SlapdOptions) *Slapd {
	t.Helper()
	root := Debian(t, "slapd")
	mustOverlay(t, root)
	dir := privateFolder(t, "slapd", os.Getuid())
	s := &Slapd{Base: "dc=acme,dc=test", AdminPassword: "lab-Admin-3301"}
	s.Admin, s.Reader = "cn=admin,"+s.Base, "cn=reader,"+s.Base
	cert, key := certificate(t, dir)
	s.CA = cert
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	var c strings.Builder
	for _, name := range []string{"core", "cosine", "inetorgperson", "nis"} {
		fmt.Fprintf(&c, "include %s/etc/ldap/schema/%s.schema\n", root, name)
	}
	fmt.Fprintf(&c, "%s\npidfile %s/pid\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n", o.Schema, dir)
	fmt.Fprintf(&c, "TLSCertificateFile %s\nTLSCertificateKeyFile %s\n", cert, key)
	if o.SizeLimit > 0 {
		fmt.Fprintf(&c, "sizelimit size.soft=%d size.hard=%d size.prtotal=unlimited\n", o.SizeLimit, o.SizeLimit)
	}
	fmt.Fprintf(&c, "database mdb\nmaxsize 268435456\nsuffix %q\nrootdn %q\nrootpw %s\ndirectory %s/data\ndbnosync\n", s.Base, s.Admin, s.AdminPassword, dir)
	fmt.Fprintf(&c, "access to attrs=userPassword by dn.exact=%q read by anonymous auth by * none\naccess to * by * read\n", s.Reader)
	config := filepath.Join(dir, "slapd.conf")
	if err := os.WriteFile(config, []byte(c.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for attempt := 1; ; attempt++ {
		ports := freePorts(t, 2)
		s.Addr, s.TLSAddr = "127.0.0.1:"+strconv.Itoa(ports[0]), "127.0.0.1:"+strconv.Itoa(ports[1])
		cmd := inside(root, "/usr/sbin/slapd", "-f", config, "-h", "ldap://"+s.Addr+"/ ldaps://"+s.TLSAddr+"/", "-d", "0")
		daemon, err := startDaemon(t, "slapd", filepath.Join(dir, "log"), cmd, syscall.SIGTERM, s.Addr, s.TLSAddr)
		if err == nil {
			s.Daemon = daemon
			break
		}
		// A port that was free may be taken before the server listens on it.
		if attempt == 3 || !strings.Contains(err.Error(), "has ended") {
			t.Fatal(err)
		}
	}
	s.login(t)
	s.Add(t, s.Base, map[string][]string{"objectClass": {"dcObject", "organization"}, "dc": {"acme"}, "o": {"Acme"}})
	return s
}

// Add makes an entry.
func (s *Slapd) Add(t testing.TB, dn string, attributes map[string][]string) {
	t.Helper()
	r := ldap.NewAddRequest(dn, nil)
	for name, values := range attributes {
		r.Attribute(name, values)
	}
	if err := s.conn.Add(r); err != nil {
		t.Fatalf("add %s: %v", dn, err)
	}
}

// login connects as the administrator.
func (s *Slapd) login(t testing.TB) {
	t.Helper()
	c, err := ldap.DialURL("ldap://" + s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Bind(s.Admin, s.AdminPassword); err != nil {
		t.Fatal(err)
	}
	s.conn = c
}
