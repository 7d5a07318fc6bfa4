package sqlusers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/model"
)

// schemas are as much of the known schemas as the presets ask for, with an
// organisation in each.
var schemas = map[string][]string{
	"postfixadmin": {
		"CREATE TABLE mailbox (username varchar(255), password varchar(255), name varchar(255), maildir varchar(255), quota bigint, local_part varchar(255), domain varchar(255), active BOOL)",
		"CREATE TABLE alias (address varchar(255), goto text, domain varchar(255), active BOOL)",
		"INSERT INTO mailbox VALUES ('anna@acme.test', '$1$x', 'Anna', 'acme.test/anna/', 1048576, 'anna', 'acme.test', '1'), ('ben@acme.test', '{BLF-CRYPT}$2y$x', 'Ben', 'acme.test/ben/', 0, 'ben', 'acme.test', '0')",
		`INSERT INTO alias VALUES ('anna@acme.test', 'anna@acme.test,a@else.test', 'acme.test', '1'), ('ben@acme.test', 'ben@acme.test', 'acme.test', '1'),
		('a@acme.test', 'anna@acme.test', 'acme.test', '1'), ('k@acme.test', 'anna@acme.test', 'acme.test', '1'), ('off@acme.test', 'anna@acme.test', 'acme.test', '0'),
		('@acme.test', 'ben@acme.test', 'acme.test', '1'), ('all@acme.test', 'anna@acme.test,ben@acme.test', 'acme.test', '1')`,
	},
	"iredmail": {
		"CREATE TABLE mailbox (username varchar(255), password varchar(255), name varchar(255), storagebasedirectory varchar(255), storagenode varchar(255), maildir varchar(255), quota bigint, active smallint)",
		"CREATE TABLE forwardings (address varchar(255), forwarding varchar(255), is_mailbox smallint, is_alias smallint, is_forwarding smallint, active smallint)",
		"INSERT INTO mailbox VALUES ('anna@acme.test', '$1$x', 'Anna', '/var/vmail', 'vmail1', 'acme.test/a/n/n/anna/', 1, 1), ('ben@acme.test', '{BLF-CRYPT}$2y$x', 'Ben', '/var/vmail', 'vmail1', 'acme.test/ben/', 0, 0)",
		`INSERT INTO forwardings VALUES ('anna@acme.test', 'anna@acme.test', 1, 0, 1, 1), ('anna@acme.test', 'a@else.test', 0, 0, 1, 1), ('ben@acme.test', 'ben@acme.test', 1, 0, 0, 1),
		('a@acme.test', 'anna@acme.test', 0, 1, 0, 1), ('k@acme.test', 'anna@acme.test', 0, 1, 0, 1), ('off@acme.test', 'anna@acme.test', 0, 1, 0, 0)`,
	},
	"mailcow": {
		"CREATE TABLE mailbox (username varchar(255), password varchar(255), name varchar(255), quota bigint, kind varchar(100), active smallint)",
		"CREATE TABLE alias (address varchar(255), goto text, active smallint)",
		"INSERT INTO mailbox VALUES ('anna@acme.test', '$1$x', 'Anna', 1048576, '', 1), ('ben@acme.test', '{BLF-CRYPT}$2y$x', 'Ben', 0, '', 2), ('room@acme.test', '{PLAIN}x', 'Room', 0, 'location', 1)",
		`INSERT INTO alias VALUES ('anna@acme.test', 'anna@acme.test,a@else.test', 1), ('ben@acme.test', 'ben@acme.test', 1), ('room@acme.test', 'room@acme.test', 1),
		('a@acme.test', 'anna@acme.test', 1), ('k@acme.test', 'anna@acme.test', 1), ('off@acme.test', 'anna@acme.test', 0), ('@acme.test', 'ben@acme.test', 1)`,
	},
	"modoboa": {
		"CREATE TABLE core_user (id int, password varchar(255), first_name varchar(80), last_name varchar(80), is_active BOOL)",
		"CREATE TABLE admin_domain (id int, name varchar(255))",
		"CREATE TABLE admin_mailbox (id int, address varchar(255), domain_id int, user_id int, quota int)",
		"CREATE TABLE admin_alias (id int, address varchar(255), enabled BOOL, internal BOOL)",
		"CREATE TABLE admin_aliasrecipient (id int, alias_id int, r_mailbox_id int)",
		"INSERT INTO core_user VALUES (1, '$1$x', 'Anna', '', '1'), (2, '{BLF-CRYPT}$2y$x', '', 'Ben', '0')",
		"INSERT INTO admin_domain VALUES (7, 'acme.test')",
		"INSERT INTO admin_mailbox VALUES (11, 'anna', 7, 1, 1), (12, 'ben', 7, 2, 0)",
		"INSERT INTO admin_alias VALUES (21, 'anna@acme.test', '1', '1'), (22, 'a@acme.test', '1', '0'), (23, 'k@acme.test', '1', '0'), (24, 'off@acme.test', '0', '0'), (25, 'all@acme.test', '1', '0')",
		"INSERT INTO admin_aliasrecipient VALUES (31, 21, 11), (32, 22, 11), (33, 23, 11), (34, 24, 11), (35, 25, 11), (36, 25, 12)",
	},
	"ispconfig": {
		"CREATE TABLE mail_user (email varchar(255), login varchar(255), password varchar(255), name varchar(255), maildir varchar(255), quota bigint, cc varchar(255), disableimap varchar(1))",
		"CREATE TABLE mail_forwarding (source varchar(255), destination text, type varchar(20), active varchar(1))",
		"INSERT INTO mail_user VALUES ('anna@acme.test', 'anna@acme.test', '$1$x', 'Anna', '/var/vmail/acme.test/anna', 1048576, 'a@else.test', 'n'), ('ben@acme.test', 'ben@acme.test', '{BLF-CRYPT}$2y$x', 'Ben', '/var/vmail/acme.test/ben', -1, '', 'y')",
		`INSERT INTO mail_forwarding VALUES ('a@acme.test', 'anna@acme.test', 'alias', 'y'), ('k@acme.test', 'anna@acme.test', 'alias', 'y'), ('off@acme.test', 'anna@acme.test', 'alias', 'n'), ('@acme.test', 'ben@acme.test', 'catchall', 'y')`,
	},
	"vpopmail": {
		"CREATE TABLE vpopmail (pw_name varchar(64), pw_domain varchar(96), pw_passwd varchar(128), pw_uid int, pw_gid int, pw_gecos varchar(64), pw_dir varchar(160), pw_shell varchar(20))",
		"CREATE TABLE valias (alias varchar(32), domain varchar(96), valias_line text)",
		"INSERT INTO vpopmail VALUES ('anna', 'acme.test', '$1$x', 0, 0, 'Anna', '/home/vpopmail/domains/acme.test/anna', '1048576S,1000C'), ('ben', 'acme.test', '{BLF-CRYPT}$2y$x', 0, 8, 'Ben', '/home/vpopmail/domains/acme.test/ben', 'NOQUOTA')",
		"INSERT INTO valias VALUES ('a', 'acme.test', '&anna@acme.test'), ('k', 'acme.test', '&anna@acme.test'), ('out', 'acme.test', '&x@else.test')",
	},
}

// homes and forwards are what only some schemas have.
var (
	homes = map[string][2]string{
		"iredmail":  {"/var/vmail/vmail1/acme.test/a/n/n/anna/", "/var/vmail/vmail1/acme.test/ben/"},
		"ispconfig": {"/var/vmail/acme.test/anna", "/var/vmail/acme.test/ben"},
		"vpopmail":  {"/home/vpopmail/domains/acme.test/anna", "/home/vpopmail/domains/acme.test/ben"},
	}
	noForwards = map[string]bool{"modoboa": true, "vpopmail": true}
)

func organisation(schema string) []model.Account {
	anna := model.Account{Login: "anna@acme.test", Address: "anna@acme.test", Name: "Anna", Password: "{MD5-CRYPT}$1$x", Quota: 1 << 20,
		Aliases: []string{"a@acme.test", "k@acme.test"}, Forwards: []string{"a@else.test"}, Home: homes[schema][0]}
	ben := model.Account{Login: "ben@acme.test", Address: "ben@acme.test", Name: "Ben", Password: "{BLF-CRYPT}$2y$x", Disabled: true, Home: homes[schema][1]}
	if noForwards[schema] {
		anna.Forwards = nil
	}
	out := []model.Account{anna, ben}
	if schema == "vpopmail" {
		out[0].Location, out[1].Location = "maildir:"+anna.Home+"/Maildir", "maildir:"+ben.Home+"/Maildir"
	}
	if schema == "mailcow" {
		out = append(out, model.Account{Login: "room@acme.test", Address: "room@acme.test", Name: "Room", Password: "{PLAIN}x", Excluded: "it is a location, not a person"})
	}
	return out
}

// Each schema tells the same organisation, on every server that it is used on.
func TestPresets(t *testing.T) {
	t.Parallel()
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := start(t)
			for _, schema := range sqlusers.Presets() {
				if d.Driver != sqlusers.MySQL && (schema == "mailcow" || schema == "ispconfig" || schema == "vpopmail") {
					continue // these exist on MariaDB only
				}
				for _, table := range []string{"alias", "mailbox"} {
					d.exec(t, "DROP TABLE IF EXISTS "+table)
				}
				d.exec(t, schemas[schema]...)
				got, problems := read(sqlusers.Settings{Server: d.Server, Preset: schema})
				if len(problems) > 0 {
					t.Errorf("%s: %q", schema, problems)
				}
				if diff := cmp.Diff(organisation(schema), got, equateEmpty); diff != "" {
					t.Errorf("%s: %s", schema, diff)
				}
			}
		})
	}
	if _, problems := read(sqlusers.Settings{Server: sqlusers.Server{Driver: sqlusers.MySQL}, Preset: "postfix"}); len(problems) != 1 {
		t.Errorf("an unknown preset: %q", problems)
	}
}

// An account whose only alias was itself has a list without elements.
var equateEmpty = cmp.Transformer("list", func(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
})
