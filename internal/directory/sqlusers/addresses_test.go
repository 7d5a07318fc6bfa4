package sqlusers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/model"
)

// addressSchemas are what the presets ask for of domains, addresses and
// responses, with columns as the programs' own schemas have them.
var addressSchemas = map[string][]string{
	"postfixadmin": {
		"CREATE TABLE domain (domain varchar(255), transport varchar(255), backupmx BOOL, active BOOL)",
		"CREATE TABLE alias_domain (alias_domain varchar(255), target_domain varchar(255), active BOOL)",
		"CREATE TABLE alias (address varchar(255), goto text, domain varchar(255), active BOOL)",
		"CREATE TABLE vacation (email varchar(255), subject varchar(255), body text, activefrom timestamp, activeuntil timestamp NULL, domain varchar(255), active BOOL)",
		"INSERT INTO domain VALUES ('ALL', '', '0', '1'), ('acme.test', 'virtual', '0', '1'), ('old.test', 'virtual', '0', '1'), ('relay.test', 'smtp:[mail.relay.test]', '1', '1'), ('off.test', 'virtual', '0', '0')",
		"INSERT INTO alias_domain VALUES ('old.test', 'acme.test', '1')",
		`INSERT INTO alias VALUES ('All@acme.test', 'anna@acme.test,ben@acme.test', 'acme.test', '1'), ('@acme.test', 'ben@acme.test', 'acme.test', '1'), ('off@acme.test', 'x@acme.test', 'acme.test', '0')`,
		"INSERT INTO vacation VALUES ('anna@acme.test', 'Away', 'Back soon.', '2026-08-01 00:00:00', '2026-08-20 00:00:00', 'acme.test', '1'), ('ben@acme.test', '', 'x', '2026-08-01 00:00:00', '2026-08-20 00:00:00', 'acme.test', '0')",
	},
	"iredmail": {
		"CREATE TABLE domain (domain varchar(255), transport varchar(255), backupmx smallint, active smallint)",
		"CREATE TABLE alias_domain (alias_domain varchar(255), target_domain varchar(255), active smallint)",
		"CREATE TABLE alias (address varchar(255), name varchar(255), active smallint)",
		"CREATE TABLE forwardings (address varchar(255), forwarding varchar(255), domain varchar(255), is_maillist smallint, is_list smallint, is_forwarding smallint, is_alias smallint, active smallint)",
		"INSERT INTO domain VALUES ('acme.test', 'dovecot', 0, 1), ('relay.test', 'smtp:[mail.relay.test]', 1, 1), ('off.test', 'dovecot', 0, 0)",
		"INSERT INTO alias_domain VALUES ('old.test', 'acme.test', 1)",
		"INSERT INTO alias VALUES ('all@acme.test', 'Everybody', 1)",
		`INSERT INTO forwardings VALUES ('all@acme.test', 'ben@acme.test', 'acme.test', 0, 1, 0, 0, 1), ('all@acme.test', 'anna@acme.test', 'acme.test', 0, 1, 0, 0, 1),
		('acme.test', 'ben@acme.test', 'acme.test', 0, 0, 0, 0, 1), ('off@acme.test', 'anna@acme.test', 'acme.test', 0, 0, 0, 1, 0)`,
	},
	"mailcow": {
		"CREATE TABLE domain (domain varchar(255), backupmx smallint, active smallint)",
		"CREATE TABLE alias_domain (alias_domain varchar(255), target_domain varchar(255), active smallint)",
		"CREATE TABLE alias (address varchar(255), goto text, active smallint)",
		"INSERT INTO domain VALUES ('acme.test', 0, 1), ('relay.test', 1, 1), ('off.test', 0, 0)",
		"INSERT INTO alias_domain VALUES ('old.test', 'acme.test', 1)",
		"INSERT INTO alias VALUES ('all@acme.test', 'anna@acme.test,ben@acme.test', 1), ('@acme.test', 'ben@acme.test', 1), ('off@acme.test', 'anna@acme.test', 0), ('noise@acme.test', 'null@localhost', 1)",
	},
	"modoboa": {
		"CREATE TABLE admin_domain (id int, name varchar(255), type varchar(20), enabled BOOL)",
		"CREATE TABLE admin_domainalias (id int, name varchar(255), target_id int, enabled BOOL)",
		"CREATE TABLE admin_alias (id int, address varchar(255), enabled BOOL, internal BOOL)",
		"CREATE TABLE admin_aliasrecipient (id int, address varchar(255), alias_id int, r_mailbox_id int, r_alias_id int)",
		"INSERT INTO admin_domain VALUES (1, 'acme.test', 'domain', '1'), (2, 'relay.test', 'relaydomain', '1'), (3, 'off.test', 'domain', '0')",
		"INSERT INTO admin_domainalias VALUES (1, 'old.test', 1, '1')",
		"INSERT INTO admin_alias VALUES (1, 'all@acme.test', '1', '0'), (2, '@acme.test', '1', '0'), (3, 'off@acme.test', '0', '0')",
		"INSERT INTO admin_aliasrecipient VALUES (1, 'anna@acme.test', 1, 7, NULL), (2, 'ben@acme.test', 1, 8, NULL), (3, 'ben@acme.test', 2, 8, NULL), (4, 'anna@acme.test', 3, 7, NULL)",
	},
	"ispconfig": {
		"CREATE TABLE mail_domain (domain varchar(255), active varchar(1))",
		"CREATE TABLE mail_forwarding (source varchar(255), destination text, type varchar(20), active varchar(1))",
		"CREATE TABLE mail_user (email varchar(255), autoresponder varchar(1), autoresponder_start_date datetime, autoresponder_end_date datetime, autoresponder_subject varchar(255), autoresponder_text text)",
		"INSERT INTO mail_domain VALUES ('acme.test', 'y'), ('off.test', 'n')",
		"INSERT INTO mail_forwarding VALUES ('all@acme.test', 'anna@acme.test\nben@acme.test', 'forward', 'y'), ('@acme.test', 'ben@acme.test', 'catchall', 'y'), ('@old.test', '@acme.test', 'aliasdomain', 'y'), ('off@acme.test', 'anna@acme.test', 'alias', 'n')",
		"INSERT INTO mail_user VALUES ('anna@acme.test', 'y', '2026-08-01 00:00:00', '2026-08-20 00:00:00', 'Away', 'Back soon.'), ('ben@acme.test', 'n', NULL, NULL, '', '')",
	},
	"vpopmail": {
		"CREATE TABLE vpopmail (pw_name varchar(64), pw_domain varchar(96))",
		"CREATE TABLE valias (alias varchar(32), domain varchar(96), valias_line text)",
		"INSERT INTO vpopmail VALUES ('anna', 'acme.test'), ('ben', 'acme.test')",
		"INSERT INTO valias VALUES ('all', 'acme.test', '&anna@acme.test'), ('all', 'acme.test', '&ben@acme.test'), ('list', 'acme.test', '|/usr/bin/ezmlm-send /lists/x, y')",
	},
}

// Each schema tells the same of who receives what, on every server that it is
// used on.
func TestReadAddresses(t *testing.T) {
	t.Parallel()
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := start(t)
			for _, schema := range sqlusers.Presets() {
				if d.Driver != sqlusers.MySQL && (schema == "mailcow" || schema == "ispconfig" || schema == "vpopmail") {
					continue // these exist on MariaDB only
				}
				for _, table := range []string{"alias", "domain", "alias_domain", "mail_forwarding", "mail_user", "vpopmail", "valias"} {
					d.exec(t, "DROP TABLE IF EXISTS "+table)
				}
				d.exec(t, addressSchemas[schema]...)
				got, err := sqlusers.ReadAddresses(t.Context(), sqlusers.Settings{Server: d.Server, Preset: schema}, sqlusers.Queries{})
				if err != nil {
					t.Errorf("%s: %v", schema, err)
					continue
				}
				checkAddresses(t, schema, d.Server.String(), got)
			}
			// Queries of one's own.
			d.exec(t, "CREATE TABLE lists (who varchar(80), member varchar(80))", "INSERT INTO lists VALUES ('all@acme.test', 'anna@acme.test'), ('all@acme.test', 'ben@acme.test')")
			s := sqlusers.Settings{Server: d.Server}
			got, err := sqlusers.ReadAddresses(t.Context(), s, sqlusers.Queries{Addresses: "SELECT who AS address, member AS target, 'All' AS name FROM lists ORDER BY who, member"})
			if err != nil || len(got.Aliases) != 1 || got.Aliases[0].Name != "All" || !slices.Equal(got.Aliases[0].Targets, []string{"anna@acme.test", "ben@acme.test"}) {
				t.Errorf("%+v %v", got, err)
			}
			for query, want := range map[string]string{
				"SELECT who AS address FROM lists":                     `there is no column "target"`,
				"SELECT who AS adress, member AS target FROM lists":    `unknown column "adress": did you mean "address"?`,
				"DELETE FROM lists":                                    "DELETE",
				"SELECT who AS address, member AS target FROM nowhere": "nowhere",
			} {
				if _, err := sqlusers.ReadAddresses(t.Context(), s, sqlusers.Queries{Addresses: query}); err == nil || !strings.Contains(err.Error(), want) || model.ClassOf(err) != model.ClassFatal {
					t.Errorf("%s: %v", query, err)
				}
			}
		})
	}
}

func checkAddresses(t *testing.T, schema, server string, got directory.Addresses) {
	t.Helper()
	aliases := map[string][]string{}
	for _, a := range got.Aliases {
		aliases[a.Address] = slices.Sorted(slices.Values(a.Targets))
		if a.Where != server {
			t.Errorf("%s: %s is from %q", schema, a.Address, a.Where)
		}
	}
	want := map[string][]string{"all@acme.test": {"anna@acme.test", "ben@acme.test"}, "@acme.test": {"ben@acme.test"}}
	notes := map[string]string{}
	for _, n := range got.Notes {
		notes[n.Subject] = n.Code
	}
	wantNotes := map[string]string{}
	domains := map[string]model.Domain{}
	for _, d := range got.Domains {
		domains[d.Name] = d
	}
	switch schema {
	case "ispconfig":
		want["@old.test"] = []string{"@acme.test"}
	case "vpopmail":
		delete(want, "@acme.test")
		want["list@acme.test"] = nil
		wantNotes["list@acme.test"] = "pipe"
	case "mailcow":
		want["noise@acme.test"] = nil
		wantNotes["noise@acme.test"] = "discard"
	}
	if diff := cmp.Diff(want, aliases); diff != "" {
		t.Errorf("%s: %s", schema, diff)
	}
	if diff := cmp.Diff(wantNotes, notes); diff != "" {
		t.Errorf("%s: %s", schema, diff)
	}
	if schema != "ispconfig" && schema != "vpopmail" && (len(domains) != 3 || domains["old.test"].AliasOf != "acme.test" || !domains["relay.test"].Relayed || domains["acme.test"].Relayed) {
		t.Errorf("%s: domains %+v", schema, domains)
	}
	if _, ok := domains["acme.test"]; !ok {
		t.Errorf("%s: domains %+v", schema, domains)
	}
	if schema == "postfixadmin" || schema == "ispconfig" {
		v := got.Vacations["anna@acme.test"]
		until := time.Date(2026, 8, 20, 0, 0, 0, 0, time.UTC)
		if len(got.Vacations) != 1 || v.Subject != "Away" || v.Text != "Back soon." || !v.Until.Equal(until) {
			t.Errorf("%s: %+v", schema, got.Vacations)
		}
	}
}
