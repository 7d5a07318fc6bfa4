package lab

import (
	"fmt"
	"os"
	"os/user"
	"strings"
	"testing"
)

// mailOwner is whom the mail belongs to and who runs the server's processes.
type mailOwner struct {
	uid, gid int
	// internal, group and login are Dovecot's own users: the ones that its
	// package would create need not exist here.
	internal, group, login string
}

// owner returns nobody for root, for Dovecot reads mail as anybody but root;
// any other user has to do everything as itself.
func owner(t testing.TB) mailOwner {
	t.Helper()
	if os.Getuid() == 0 {
		return mailOwner{MailUID, MailUID, "root", "root", "nobody"}
	}
	u, err := user.Current()
	if err != nil {
		t.Skipf("Dovecot needs a user with a name: %v", err)
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		t.Skipf("Dovecot needs a group with a name: %v", err)
	}
	return mailOwner{os.Getuid(), os.Getgid(), u.Username, g.Name, u.Username}
}

// dovecotFiles are the paths of a server's files.
type dovecotFiles struct {
	dir, log, key, masters, oauth2 string
}

// dovecotConfig returns the text of dovecot.conf.
func dovecotConfig(d *Dovecot, o DovecotOptions, who mailOwner, f dovecotFiles) string {
	var c strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&c, format+"\n", args...) }
	line("base_dir = %s/run", f.dir)
	line("state_dir = %s/state", f.dir)
	line("log_path = %s", f.log)
	line("default_internal_user = %s\ndefault_internal_group = %s\ndefault_login_user = %s", who.internal, who.group, who.login)
	line("first_valid_uid = %d\nfirst_valid_gid = %d\nmail_uid = %d\nmail_gid = %d", who.uid, who.gid, who.uid, who.gid)
	line("protocols = imap sieve")
	line("listen = 127.0.0.1")
	line("ssl = yes\nssl_cert = <%s\nssl_key = <%s", d.CA, f.key)
	line("disable_plaintext_auth = no\nauth_failure_delay = 0 secs")
	line("auth_master_user_separator = %s", d.Separator)
	line("mail_fsync = never\nmail_max_userip_connections = 50")
	line("mail_location = %s", o.Location)
	if o.Home != "" {
		line("mail_home = %s", o.Home)
	}

	mechanisms := "plain login"
	if f.oauth2 != "" {
		mechanisms += " xoauth2 oauthbearer"
		line("passdb {\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = %s\n}", f.oauth2)
	}
	line("auth_mechanisms = %s", mechanisms)
	line("passdb {\n  driver = passwd-file\n  args = %s\n  master = yes\n  result_success = continue\n}", f.masters)
	if o.Passwd != "" {
		line("passdb {\n  driver = passwd-file\n  args = username_format=%%u %s\n}", o.Passwd)
		line("userdb {\n  driver = passwd-file\n  args = username_format=%%u %s\n  override_fields = uid=%d gid=%d\n}", o.Passwd, who.uid, who.gid)
	}
	line("%s", o.Databases)
	line("plugin {\n  sieve = file:~/sieve;active=~/.dovecot.sieve\n}")

	// A chroot would hide the libraries, and takes root.
	_, imap, _ := strings.Cut(d.IMAP, ":")
	_, imaps, _ := strings.Cut(d.IMAPS, ":")
	_, sieve, _ := strings.Cut(d.Sieve, ":")
	line("service imap-login {\n  chroot =\n  inet_listener imap {\n    port = %s\n  }\n  inet_listener imaps {\n    port = %s\n    ssl = yes\n  }\n}", imap, imaps)
	line("service managesieve-login {\n  chroot =\n  inet_listener sieve {\n    port = %s\n  }\n}", sieve)
	// Wrong logins must not slow down those of the tests beside.
	line("service anvil {\n  chroot =\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}")
	line("service stats {\n  chroot =\n}")
	line("namespace inbox {\n  inbox = yes\n}")
	line("%s", o.Settings)
	return c.String()
}
