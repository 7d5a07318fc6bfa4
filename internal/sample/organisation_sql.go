package sample

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// SQL lays the organisation out as the statements that make and fill a
// database of PostfixAdmin 3. driver is mysql (MariaDB, too), pgsql or sqlite.
//
// As PostfixAdmin does, every mailbox has a row of its own among the aliases.
func (d *Directory) SQL(driver string) []string {
	flag, stamp := "tinyint(1)", "datetime NOT NULL DEFAULT '2000-01-01 00:00:00'"
	yes, no := "1", "0"
	if driver == "pgsql" {
		flag, stamp, yes, no = "boolean", "timestamp with time zone DEFAULT now()", "true", "false"
	}
	times := "created " + stamp + ", modified " + stamp + ", active " + flag + " NOT NULL DEFAULT " + yes
	statements := []string{
		"CREATE TABLE domain (domain varchar(255) NOT NULL PRIMARY KEY, description varchar(255) NOT NULL DEFAULT '', aliases int NOT NULL DEFAULT 0, mailboxes int NOT NULL DEFAULT 0, " +
			"maxquota bigint NOT NULL DEFAULT 0, quota bigint NOT NULL DEFAULT 0, transport varchar(255) NOT NULL DEFAULT 'virtual', backupmx " + flag + " NOT NULL DEFAULT " + no + ", " + times + ")",
		"CREATE TABLE mailbox (username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) NOT NULL, maildir varchar(255) NOT NULL, " +
			"quota bigint NOT NULL DEFAULT 0, local_part varchar(255) NOT NULL, domain varchar(255) NOT NULL, " + times + ")",
		"CREATE TABLE alias (address varchar(255) NOT NULL PRIMARY KEY, goto text NOT NULL, domain varchar(255) NOT NULL, " + times + ")",
		"CREATE TABLE alias_domain (alias_domain varchar(255) NOT NULL PRIMARY KEY, target_domain varchar(255) NOT NULL, " + times + ")",
		"CREATE TABLE vacation (email varchar(255) NOT NULL PRIMARY KEY, subject varchar(255) NOT NULL, body text NOT NULL, activefrom " + stamp + ", activeuntil " + stamp +
			", cache text NOT NULL, domain varchar(255) NOT NULL, interval_time int NOT NULL DEFAULT 0, " + times + ")",
	}
	insert := func(table, columns string, values ...any) {
		var texts []string
		for _, v := range values {
			switch v := v.(type) {
			case string:
				texts = append(texts, "'"+strings.ReplaceAll(v, "'", "''")+"'")
			case bool:
				texts = append(texts, map[bool]string{true: yes, false: no}[v])
			default:
				texts = append(texts, fmt.Sprint(v))
			}
		}
		statements = append(statements, "INSERT INTO "+table+" ("+columns+") VALUES ("+strings.Join(texts, ", ")+")")
	}
	for _, domain := range d.Hosted {
		insert("domain", "domain, description", domain, "")
	}
	for _, domain := range d.aliasDomains() {
		insert("domain", "domain, description", domain, "")
	}
	for _, domain := range slices.Sorted(maps.Keys(d.Relayed)) {
		insert("domain", "domain, transport, backupmx", domain, d.Relayed[domain], true)
	}
	for _, old := range slices.Sorted(maps.Keys(d.AliasDomains)) {
		insert("alias_domain", "alias_domain, target_domain", old, d.AliasDomains[old])
	}
	for n, p := range d.People {
		local, domain, _ := strings.Cut(p.Address, "@")
		hash := p.Hash
		if n%3 == 0 { // older versions of PostfixAdmin write no scheme
			if scheme, body, _ := strings.Cut(hash, "}"); strings.HasSuffix(scheme, "-CRYPT") {
				hash = body
			}
		}
		insert("mailbox", "username, password, name, maildir, quota, local_part, domain, active", p.Address, hash, p.Name, domain+"/"+local+"/", p.Quota, local, domain, !p.Disabled)
		if _, own := d.targets(p.Address); !own {
			insert("alias", "address, goto, domain", p.Address, p.Address, domain)
		}
	}
	for _, a := range d.Aliases {
		_, domain, _ := strings.Cut(a.Address, "@")
		insert("alias", "address, goto, domain", a.Address, strings.Join(a.Targets, ","), domain)
	}
	insert("alias", "address, goto, domain, active", "retired@"+Domain, d.at(0), Domain, false)
	insert("vacation", "email, subject, body, activeuntil, cache, domain", d.at(2), "Out of the office", "I am back on Monday.", "2030-01-01 00:00:00", "", Domain)
	return statements
}

// WriteSQL lays the configuration of a Postfix out in dir that asks a database
// made by SQL, as PostfixAdmin's documentation says. host is "127.0.0.1:3306";
// with sqlite, database is the file and the rest says nothing.
func (d *Directory) WriteSQL(dir, driver, host, user, password, database string) error {
	cf := func(query string) string {
		if driver == "sqlite" {
			// Without CONCAT, which SQLite has only from 3.44.
			query = strings.ReplaceAll(strings.ReplaceAll(query, "CONCAT('%u', '@', alias_domain.target_domain)", "'%u' || '@' || alias_domain.target_domain"), "CONCAT('@', alias_domain.target_domain)", "'@' || alias_domain.target_domain")
			return fmt.Sprintf("# a table for Postfix\ndbpath = %s\nquery = %s\n", database, query)
		}
		return fmt.Sprintf("# a table for Postfix\nuser = %s\npassword = %s\nhosts = %s\ndbname = %s\nquery = %s\n", user, password, host, database, query)
	}
	mainCF := fmt.Sprintf(`virtual_mailbox_domains = proxy:%[1]s:%[2]s/domains.cf
virtual_mailbox_maps = proxy:%[1]s:%[2]s/mailboxes.cf,
    proxy:%[1]s:%[2]s/alias_domain_mailboxes.cf
virtual_mailbox_base = /srv/mail
virtual_alias_maps = proxy:%[1]s:%[2]s/aliases.cf, proxy:%[1]s:%[2]s/alias_domain.cf,
    proxy:%[1]s:%[2]s/alias_domain_catchall.cf
virtual_alias_domains =
relay_domains = proxy:%[1]s:%[2]s/relay.cf
`, driver, dir)
	return d.write(dir, mainCF, map[string]string{
		"domains.cf":   cf("SELECT domain FROM domain WHERE domain='%s' AND backupmx = '0' AND active = '1'"),
		"relay.cf":     cf("SELECT domain FROM domain WHERE domain='%s' AND active = '1' AND backupmx = '1'"),
		"mailboxes.cf": cf("SELECT maildir FROM mailbox WHERE username='%s' AND active = '1'"),
		"aliases.cf":   cf("SELECT goto FROM alias WHERE address='%s' AND active = '1'"),
		"alias_domain.cf": cf("SELECT goto FROM alias,alias_domain WHERE alias_domain.alias_domain = '%d' AND alias.address = CONCAT('%u', '@', alias_domain.target_domain) " +
			"AND alias.active = '1' AND alias_domain.active='1'"),
		"alias_domain_mailboxes.cf": cf("SELECT maildir FROM mailbox,alias_domain WHERE alias_domain.alias_domain = '%d' AND mailbox.username = CONCAT('%u', '@', alias_domain.target_domain) " +
			"AND mailbox.active = '1' AND alias_domain.active='1'"),
		"alias_domain_catchall.cf": cf("SELECT goto FROM alias,alias_domain WHERE alias_domain.alias_domain = '%d' AND alias.address = CONCAT('@', alias_domain.target_domain) " +
			"AND alias.active = '1' AND alias_domain.active='1'"),
	})
}
