package sqlusers_test

import "mailhaul.org/mailhaul/internal/model"

// schema is as much of a program's own schema as matters to mail, by its tables'
// and columns' names, with the same organisation in each as far as the program
// has a place for it.
type schema struct {
	tables, rows []string
	// newer are columns that older versions do not have: "table column".
	newer []string
	// change corrects the accounts that all have.
	change func(anna, ben *model.Account)
	// others are further accounts.
	others []model.Account
	// addresses, domains ("= other" for another name, "> relay" for one that
	// another host delivers), senders and notes are what is read beside.
	addresses map[string][]string
	domains   map[string]string
	senders   map[string][]string
	notes     []string
	vacation  bool
}

// mariaDBOnly are the schemas that exist on no other server.
var mariaDBOnly = map[string]bool{"mailcow": true, "ispconfig": true, "vpopmail": true}

var schemas = map[string]schema{
	"postfixadmin": {
		tables: []string{
			"CREATE TABLE domain (domain varchar(255), description varchar(255), aliases int, mailboxes int, maxquota bigint, quota bigint, transport varchar(255), backupmx BOOL, created timestamp NULL, modified timestamp NULL, active BOOL)",
			"CREATE TABLE alias_domain (alias_domain varchar(255), target_domain varchar(255), created timestamp NULL, modified timestamp NULL, active BOOL)",
			"CREATE TABLE mailbox (username varchar(255), password varchar(255), name varchar(255), maildir varchar(255), quota bigint, local_part varchar(255), domain varchar(255), created timestamp NULL, modified timestamp NULL, active BOOL)",
			"CREATE TABLE alias (address varchar(255), goto text, domain varchar(255), created timestamp NULL, modified timestamp NULL, active BOOL)",
			"CREATE TABLE vacation (email varchar(255), subject varchar(255), body text, activefrom timestamp NULL, activeuntil timestamp NULL, cache text, domain varchar(255), interval_time int, active BOOL)",
		},
		newer: []string{"vacation activefrom", "vacation activeuntil", "vacation interval_time"},
		rows: []string{
			"INSERT INTO domain (domain, transport, backupmx, active) VALUES ('ALL', '', '0', '1'), ('acme.test', 'virtual', '0', '1'), ('old.test', 'virtual', '0', '1'), ('relay.test', 'smtp:[mail.relay.test]', '1', '1'), ('off.test', 'virtual', '0', '0')",
			"INSERT INTO alias_domain (alias_domain, target_domain, active) VALUES ('old.test', 'acme.test', '1')",
			"INSERT INTO mailbox (username, password, name, maildir, quota, local_part, domain, active) VALUES ('anna@acme.test', '$1$x', 'Anna', 'acme.test/anna/', 1048576, 'anna', 'acme.test', '1'), ('ben@acme.test', '{BLF-CRYPT}$2y$x', 'Ben', 'acme.test/ben/', 0, 'ben', 'acme.test', '0')",
			`INSERT INTO alias (address, goto, domain, active) VALUES ('anna@acme.test', 'anna@acme.test,a@else.test,anna#acme.test@autoreply.acme.test', 'acme.test', '1'), ('ben@acme.test', 'ben@acme.test', 'acme.test', '1'),
			('a@acme.test', 'anna@acme.test', 'acme.test', '1'), ('k@acme.test', 'anna@acme.test', 'acme.test', '1'), ('off@acme.test', 'anna@acme.test', 'acme.test', '0'),
			('@acme.test', 'ben@acme.test', 'acme.test', '1'), ('All@acme.test', 'anna@acme.test,ben@acme.test', 'acme.test', '1')`,
			"INSERT INTO vacation (email, subject, body, activefrom, activeuntil, domain, active) VALUES ('anna@acme.test', 'Away', 'Back soon.', '2026-08-01 00:00:00', '2026-08-20 00:00:00', 'acme.test', '1'), ('ben@acme.test', '', 'x', '2026-08-01 00:00:00', '2026-08-20 00:00:00', 'acme.test', '0')",
		},
		addresses: map[string][]string{"anna@acme.test": {"a@else.test", "anna#acme.test@autoreply.acme.test", "anna@acme.test"}, "ben@acme.test": {"ben@acme.test"}},
		domains:   map[string]string{"acme.test": "", "old.test": "= acme.test", "relay.test": "> smtp:[mail.relay.test]"},
		vacation:  true,
	},
	"iredmail": {
		tables: []string{
			"CREATE TABLE domain (domain varchar(255), description text, maxquota bigint, quota bigint, transport varchar(255), backupmx smallint, settings text, active smallint)",
			"CREATE TABLE alias_domain (alias_domain varchar(255), target_domain varchar(255), active smallint)",
			`CREATE TABLE mailbox (username varchar(255), password varchar(255), name varchar(255), language varchar(5), mailboxformat varchar(50), mailboxfolder varchar(50), storagebasedirectory varchar(255),
			storagenode varchar(255), maildir varchar(255), quota bigint, domain varchar(255), transport varchar(255), enableimap smallint, enabledeliver smallint, active smallint)`,
			"CREATE TABLE alias (address varchar(255), name varchar(255), accesspolicy varchar(30), domain varchar(255), active smallint)",
			"CREATE TABLE forwardings (address varchar(255), forwarding varchar(255), domain varchar(255), dest_domain varchar(255), is_maillist smallint, is_list smallint, is_forwarding smallint, is_alias smallint, active smallint)",
			"CREATE TABLE maillists (address varchar(255), domain varchar(255), transport varchar(255), accesspolicy varchar(30), name varchar(255), mlid varchar(36), active smallint)",
			"CREATE TABLE sender_bcc_domain (domain varchar(255), bcc_address varchar(255), active smallint)",
			"CREATE TABLE recipient_bcc_domain (domain varchar(255), bcc_address varchar(255), active smallint)",
			"CREATE TABLE sender_bcc_user (username varchar(255), bcc_address varchar(255), domain varchar(255), active smallint)",
			"CREATE TABLE recipient_bcc_user (username varchar(255), bcc_address varchar(255), domain varchar(255), active smallint)",
		},
		rows: []string{
			"INSERT INTO domain (domain, transport, backupmx, active) VALUES ('acme.test', 'dovecot', 0, 1), ('relay.test', 'smtp:[mail.relay.test]:25', 1, 1), ('off.test', 'dovecot', 0, 0)",
			"INSERT INTO alias_domain VALUES ('old.test', 'acme.test', 1)",
			`INSERT INTO mailbox (username, password, name, language, storagebasedirectory, storagenode, maildir, quota, domain, active) VALUES
			('anna@acme.test', '$1$x', 'Anna', 'de_DE', '/var/vmail', 'vmail1', 'acme.test/A/n/n/Anna-2020.01.01/', 1, 'acme.test', 1), ('ben@acme.test', '{BLF-CRYPT}$2y$x', 'Ben', '', '/var/vmail', 'vmail1', 'acme.test/ben/', 0, 'acme.test', 0)`,
			"INSERT INTO alias VALUES ('all@acme.test', 'Everybody', 'membersonly', 'acme.test', 1)",
			`INSERT INTO forwardings VALUES ('anna@acme.test', 'anna@acme.test', 'acme.test', 'acme.test', 0, 0, 1, 0, 1), ('anna@acme.test', 'a@else.test', 'acme.test', 'else.test', 0, 0, 1, 0, 1),
			('ben@acme.test', 'ben@acme.test', 'acme.test', 'acme.test', 0, 0, 1, 0, 1),
			('a@acme.test', 'anna@acme.test', 'acme.test', 'acme.test', 0, 0, 0, 1, 1), ('k@acme.test', 'anna@acme.test', 'acme.test', 'acme.test', 0, 0, 0, 1, 1), ('off@acme.test', 'anna@acme.test', 'acme.test', 'acme.test', 0, 0, 0, 1, 0),
			('all@acme.test', 'ben@acme.test', 'acme.test', 'acme.test', 0, 1, 0, 0, 1), ('all@acme.test', 'anna@acme.test', 'acme.test', 'acme.test', 0, 1, 0, 0, 1),
			('acme.test', 'ben@acme.test', 'acme.test', 'acme.test', 0, 0, 0, 0, 1), ('news@acme.test', 'news@acme.test', 'acme.test', 'acme.test', 1, 0, 0, 0, 1)`,
			"INSERT INTO maillists VALUES ('news@acme.test', 'acme.test', 'mlmmj:acme.test/news', '', 'News', 'x', 1)",
			"INSERT INTO recipient_bcc_user VALUES ('anna@acme.test', 'archive@acme.test', 'acme.test', 1), ('ben@acme.test', 'archive@acme.test', 'acme.test', 0)",
			"INSERT INTO sender_bcc_domain VALUES ('acme.test', 'archive@acme.test', 1)",
		},
		change: func(anna, ben *model.Account) {
			anna.Language, anna.Home, ben.Home = "de-DE", "/var/vmail/vmail1/acme.test/a/n/n/anna-2020.01.01/", "/var/vmail/vmail1/acme.test/ben/"
		},
		addresses: map[string][]string{"anna@acme.test": {"a@else.test", "anna@acme.test"}, "ben@acme.test": {"ben@acme.test"}},
		domains:   map[string]string{"acme.test": "", "old.test": "= acme.test", "relay.test": "> smtp:[mail.relay.test]:25"},
		notes:     []string{"bcc acme.test", "bcc anna@acme.test", "list-manager news@acme.test", "list-policy all@acme.test"},
	},
	"mailcow": {
		tables: []string{
			"CREATE TABLE domain (domain varchar(255), description varchar(255), defquota bigint, maxquota bigint, quota bigint, relayhost varchar(255), backupmx smallint, gal smallint, relay_all_recipients smallint, relay_unknown_only smallint, active smallint)",
			"CREATE TABLE alias_domain (alias_domain varchar(255), target_domain varchar(255), active smallint)",
			"CREATE TABLE mailbox (username varchar(255), password varchar(255), name varchar(255), mailbox_path_prefix varchar(150), quota bigint, local_part varchar(255), domain varchar(255), attributes text, kind varchar(100), multiple_bookings int, authsource varchar(20), active smallint)",
			"CREATE TABLE alias (id int, address varchar(255), goto text, domain varchar(255), sogo_visible smallint, active smallint)",
			"CREATE TABLE spamalias (address varchar(255), goto text, description text, validity int, permanent smallint)",
			"CREATE TABLE recipient_maps (id int, old_dest varchar(255), new_dest varchar(255), active smallint)",
			"CREATE TABLE bcc_maps (id int, local_dest varchar(255), bcc_dest varchar(255), domain varchar(255), type varchar(10), active smallint)",
			"CREATE TABLE transports (id int, destination varchar(255), nexthop varchar(255), username varchar(255), password varchar(255), is_mx_based smallint, active smallint)",
			"CREATE TABLE sender_acl (id int, logged_in_as varchar(255), send_as varchar(255), external smallint)",
			"CREATE TABLE sieve_filters (id int, username varchar(255), script_desc varchar(255), script_name varchar(10), script_data text, filter_type varchar(10))",
		},
		newer: []string{"mailbox authsource", "spamalias permanent"},
		rows: []string{
			"INSERT INTO domain (domain, backupmx, active) VALUES ('acme.test', 0, 1), ('relay.test', 1, 1), ('off.test', 0, 0)",
			"INSERT INTO transports VALUES (1, 'relay.test', '[mail.relay.test]', '', '', 0, 1)",
			"INSERT INTO alias_domain VALUES ('old.test', 'acme.test', 1)",
			`INSERT INTO mailbox (username, password, name, quota, local_part, domain, kind, authsource, active) VALUES ('anna@acme.test', '$1$x', 'Anna', 1048576, 'anna', 'acme.test', '', 'mailcow', 1),
			('ben@acme.test', '{BLF-CRYPT}$2y$x', 'Ben', 0, 'ben', 'acme.test', '', 'mailcow', 2), ('cora@acme.test', '{SSHA}random', 'Cora', 0, 'cora', 'acme.test', '', 'ldap', 1), ('room@acme.test', '{PLAIN}x', 'Room', 0, 'room', 'acme.test', 'location', 'mailcow', 1)`,
			`INSERT INTO alias (id, address, goto, domain, active) VALUES (1, 'anna@acme.test', 'anna@acme.test,a@else.test', 'acme.test', 1), (2, 'ben@acme.test', 'ben@acme.test', 'acme.test', 1), (3, 'cora@acme.test', 'cora@acme.test', 'acme.test', 1),
			(4, 'room@acme.test', 'room@acme.test', 'acme.test', 1), (5, 'a@acme.test', 'anna@acme.test', 'acme.test', 1), (6, 'k@acme.test', 'anna@acme.test', 'acme.test', 2), (7, 'off@acme.test', 'anna@acme.test', 'acme.test', 0),
			(8, '@acme.test', 'ben@acme.test', 'acme.test', 1), (9, 'all@acme.test', 'anna@acme.test,ben@acme.test', 'acme.test', 1), (10, 'noise@acme.test', 'null@localhost', 'acme.test', 1), (11, 'mapped@acme.test', 'ben@acme.test', 'acme.test', 1)`,
			"INSERT INTO recipient_maps VALUES (1, 'mapped@acme.test', 'cora@acme.test', 1), (2, 'unmapped@acme.test', 'cora@acme.test', 0)",
			"INSERT INTO spamalias VALUES ('old.one@acme.test', 'anna@acme.test', '', 1000000000, 0), ('long.one@acme.test', 'anna@acme.test', '', 2000000000, 0)",
			"INSERT INTO bcc_maps VALUES (1, '@acme.test', 'archive@acme.test', 'acme.test', 'rcpt', 1), (2, 'ben@acme.test', 'archive@acme.test', 'acme.test', 'sender', 0)",
			"INSERT INTO sender_acl VALUES (1, 'ben@acme.test', 'anna@acme.test', 0), (2, 'anna@acme.test', '*', 0)",
			"INSERT INTO sieve_filters VALUES (1, 'ben@acme.test', 'Invoices', 'active', 'discard;', 'prefilter'), (2, 'anna@acme.test', 'Old', 'inactive', 'discard;', 'prefilter')",
		},
		others: []model.Account{
			{Login: "cora@acme.test", Address: "cora@acme.test", Name: "Cora"},
			{Login: "room@acme.test", Address: "room@acme.test", Name: "Room", Password: "{PLAIN}x", Excluded: "it is a location, not a person"},
		},
		addresses: map[string][]string{"anna@acme.test": {"a@else.test", "anna@acme.test"}, "ben@acme.test": {"ben@acme.test"}, "cora@acme.test": {"cora@acme.test"}, "room@acme.test": {"room@acme.test"},
			"noise@acme.test": nil, "mapped@acme.test": {"cora@acme.test"}, "long.one@acme.test": {"anna@acme.test"}},
		domains: map[string]string{"acme.test": "", "old.test": "= acme.test", "relay.test": "> [mail.relay.test]"},
		senders: map[string][]string{"anna@acme.test": {"ben@acme.test"}, "@*": {"anna@acme.test"}},
		notes:   []string{"bcc @acme.test", "database-filter ben@acme.test", "discard noise@acme.test"},
	},
	"modoboa": {
		tables: []string{
			"CREATE TABLE core_user (id int, username varchar(254), email varchar(254), password varchar(256), first_name varchar(80), last_name varchar(80), language varchar(10), is_active BOOL, is_local BOOL)",
			"CREATE TABLE transport_transport (id int, pattern varchar(253), service varchar(30), next_hop varchar(100))",
			"CREATE TABLE admin_domain (id int, name varchar(253), quota int, default_mailbox_quota int, type varchar(20), transport_id int, enabled BOOL)",
			"CREATE TABLE admin_domainalias (id int, name varchar(100), target_id int, enabled BOOL)",
			"CREATE TABLE admin_mailbox (id int, address varchar(252), quota int, use_domain_quota BOOL, domain_id int, user_id int)",
			"CREATE TABLE admin_alias (id int, address varchar(254), domain_id int, enabled BOOL, internal BOOL, expire_at timestamp NULL)",
			"CREATE TABLE modoboa_admin_aliasrecipient (id int, address varchar(254), alias_id int, r_mailbox_id int, r_alias_id int)",
			"CREATE TABLE admin_senderaddress (id int, address varchar(254), mailbox_id int)",
			"CREATE TABLE postfix_autoreply_armessage (id int, mbox_id int, subject varchar(255), content text, enabled BOOL, fromdate timestamp NULL, untildate timestamp NULL)",
		},
		rows: []string{
			"INSERT INTO core_user VALUES (1, 'anna@acme.test', 'anna@acme.test', '$1$x', 'Anna', '', 'de', '1', '1'), (2, 'ben@acme.test', 'ben@acme.test', '{BLF-CRYPT}$2y$x', '', 'Ben', '', '0', '1'), (3, 'cora@acme.test', 'cora@acme.test', '{SSHA}stale', 'Cora', '', '', '1', '0')",
			"INSERT INTO transport_transport VALUES (5, 'relay.test', 'relay', '[mail.relay.test]:25')",
			"INSERT INTO admin_domain VALUES (7, 'acme.test', 0, 0, 'domain', NULL, '1'), (8, 'relay.test', 0, 0, 'relaydomain', 5, '1'), (9, 'off.test', 0, 0, 'domain', NULL, '0')",
			"INSERT INTO admin_domainalias VALUES (1, 'old.test', 7, '1')",
			"INSERT INTO admin_mailbox VALUES (11, 'anna', 1, '0', 7, 1), (12, 'ben', 0, '0', 7, 2), (13, 'cora', 0, '0', 7, 3)",
			`INSERT INTO admin_alias VALUES (20, '@old.test', NULL, '1', '1', NULL), (21, 'anna@acme.test', 7, '1', '1', NULL), (22, 'a@acme.test', 7, '1', '0', NULL), (23, 'k@acme.test', 7, '1', '0', '2037-01-01 00:00:00'), (24, 'off@acme.test', 7, '0', '0', NULL),
			(25, 'all@acme.test', 7, '1', '0', NULL), (26, '@acme.test', 7, '1', '0', NULL), (27, 'ben@acme.test', 7, '1', '1', NULL), (28, 'anna@acme.test', 7, '1', '0', NULL), (29, 'past@acme.test', 7, '1', '0', '2001-01-01 00:00:00'),
			(30, 'cora@acme.test', 7, '0', '1', NULL), (31, 'cora@acme.test', 7, '1', '0', NULL)`,
			`INSERT INTO modoboa_admin_aliasrecipient VALUES (40, '@acme.test', 20, NULL, NULL), (41, 'anna@acme.test', 21, 11, NULL), (42, 'anna@acme.test', 22, 11, NULL), (43, 'anna@acme.test', 23, 11, NULL), (44, 'anna@acme.test', 24, 11, NULL),
			(45, 'anna@acme.test', 25, 11, NULL), (46, 'ben@acme.test', 25, 12, NULL), (47, 'ben@acme.test', 26, 12, NULL), (48, 'ben@acme.test', 27, 12, NULL), (49, 'anna@acme.test', 28, 11, NULL), (50, 'a@else.test', 28, NULL, NULL),
			(51, 'anna@acme.test', 29, 11, NULL), (52, 'cora@acme.test', 30, 13, NULL), (53, 'c@else.test', 31, NULL, NULL)`,
			"INSERT INTO admin_senderaddress VALUES (1, 'press@acme.test', 12)",
			"INSERT INTO postfix_autoreply_armessage VALUES (1, 11, 'Away', 'Back soon.', '1', '2026-08-01 00:00:00', '2026-08-20 00:00:00'), (2, 12, 'No', 'x', '0', '2026-08-01 00:00:00', NULL), (3, 13, 'Gone', '%(name)s is away since %(fromdate)s, 100%%.', '1', '2026-08-01 00:00:00', NULL)",
		},
		change:    func(anna, _ *model.Account) { anna.Language = "de" },
		others:    []model.Account{{Login: "cora@acme.test", Address: "cora@acme.test", Name: "Cora", Forwards: []string{"c@else.test"}}},
		addresses: map[string][]string{"anna@acme.test": {"a@else.test", "anna@acme.test"}, "ben@acme.test": {"ben@acme.test"}, "cora@acme.test": {"c@else.test"}, "@old.test": {"@acme.test"}},
		domains:   map[string]string{"acme.test": "", "old.test": "= acme.test", "relay.test": "> [mail.relay.test]:25"},
		senders:   map[string][]string{"press@acme.test": {"ben@acme.test"}},
		vacation:  true,
	},
	"ispconfig": {
		tables: []string{
			"CREATE TABLE mail_domain (domain_id int, server_id int, domain varchar(255), active varchar(1))",
			"CREATE TABLE mail_relay_domain (relay_domain_id int, server_id int, domain varchar(255), access varchar(255), active varchar(255))",
			"CREATE TABLE mail_transport (transport_id int, server_id int, domain varchar(255), transport varchar(255), active varchar(1))",
			"CREATE TABLE mail_mailinglist (mailinglist_id int, server_id int, domain varchar(255), listname varchar(255), email varchar(255), password varchar(255))",
			"CREATE TABLE mail_forwarding (forwarding_id int, server_id int, source varchar(255), destination text, type varchar(20), active varchar(1), allow_send_as varchar(1))",
			`CREATE TABLE mail_user (mailuser_id int, server_id int, email varchar(255), login varchar(255), password varchar(255), name varchar(255), maildir varchar(255), maildir_format varchar(255), quota bigint, cc text, forward_in_lda varchar(1),
			sender_cc varchar(255), homedir varchar(255), autoresponder varchar(1), autoresponder_start_date datetime, autoresponder_end_date datetime, autoresponder_subject varchar(255), autoresponder_text mediumtext, custom_mailfilter mediumtext,
			postfix varchar(1), access varchar(1), disableimap varchar(1), disablepop3 varchar(1), disabledeliver varchar(1))`,
			"CREATE TABLE mail_user_filter (filter_id int, mailuser_id int, rulename varchar(64), source varchar(255), searchterm varchar(255), op varchar(255), action varchar(255), target varchar(255), active varchar(1))",
		},
		rows: []string{
			"INSERT INTO mail_domain VALUES (1, 1, 'acme.test', 'y'), (2, 1, 'off.test', 'n'), (3, 1, 'old.test', 'y'), (4, 1, 'away.test', 'y')",
			"INSERT INTO mail_relay_domain VALUES (1, 1, 'relay.test', 'OK', 'y')",
			"INSERT INTO mail_transport VALUES (1, 1, 'relay.test', 'smtp:[mail.relay.test]', 'y'), (2, 1, 'away.test', 'smtp:[mail.away.test]', 'y'), (3, 1, 'acme.test', 'lmtp:unix:private/dovecot-lmtp', 'y')",
			`INSERT INTO mail_user VALUES (1, 1, 'anna@acme.test', 'anna@acme.test', '$1$x', 'Anna', '/var/vmail/acme.test/anna', 'maildir', 1048576, 'a@else.test', 'n', '', '/var/vmail', 'y', '2026-08-01 00:00:00', '2026-08-20 00:00:00', 'Away', 'Back soon.', '', 'y', 'y', 'n', 'n', 'n'),
			(2, 1, 'ben@acme.test', 'ben@acme.test', '{BLF-CRYPT}$2y$x', 'Ben', '/var/vmail/acme.test/ben', 'mdbox', -1, '', 'n', 'archive@acme.test', '/var/vmail', 'n', NULL, NULL, '', '', '', 'n', 'y', 'y', 'y', 'n'),
			(3, 1, 'cora@acme.test', 'cora', '$1$x', 'Cora', '/var/vmail/acme.test/cora', 'maildir', 0, '', 'n', '', '/var/vmail', 'n', NULL, NULL, '', '', '', 'y', 'y', 'y', 'n', 'n')`,
			"INSERT INTO mail_user_filter VALUES (1, 3, 'Spam', 'Subject', 'x', 'contains', 'move', 'Junk', 'y'), (2, 1, 'Off', 'Subject', 'x', 'contains', 'move', 'Junk', 'n')",
			`INSERT INTO mail_forwarding VALUES (1, 1, 'a@acme.test', 'anna@acme.test', 'alias', 'y', 'n'), (2, 1, 'k@acme.test', 'anna@acme.test', 'alias', 'y', 'n'), (3, 1, 'off@acme.test', 'anna@acme.test', 'alias', 'n', 'n'),
			(4, 1, '@acme.test', 'ben@acme.test', 'catchall', 'y', 'n'), (5, 1, 'all@acme.test', 'anna@acme.test\nben@acme.test', 'forward', 'y', 'n'), (6, 1, '@old.test', '@acme.test', 'aliasdomain', 'y', 'n')`,
			"INSERT INTO mail_mailinglist VALUES (1, 1, 'acme.test', 'news', 'news@acme.test', 'x')",
		},
		change: func(anna, ben *model.Account) {
			anna.Home, anna.Location = "/var/vmail/acme.test/anna", "maildir:/var/vmail/acme.test/anna/Maildir"
			ben.Home, ben.Location = "/var/vmail/acme.test/ben", "mdbox:/var/vmail/acme.test/ben/mdbox"
		},
		others:    []model.Account{{Login: "cora", Address: "cora@acme.test", Name: "Cora", Password: "{MD5-CRYPT}$1$x", Home: "/var/vmail/acme.test/cora", Location: "maildir:/var/vmail/acme.test/cora/Maildir"}},
		addresses: map[string][]string{"@old.test": {"@acme.test"}},
		domains:   map[string]string{"acme.test": "", "old.test": "", "away.test": "> smtp:[mail.away.test]", "relay.test": "> smtp:[mail.relay.test]"},
		notes:     []string{"bcc ben@acme.test", "database-filter cora@acme.test", "list-manager news@acme.test", "no-delivery ben@acme.test"},
		vacation:  true,
	},
	"vpopmail": {
		tables: []string{
			"CREATE TABLE vpopmail (pw_name char(64), pw_domain char(96), pw_passwd char(128), pw_uid int, pw_gid int, pw_gecos char(64), pw_dir char(160), pw_shell char(20), pw_clear_passwd char(16))",
			"CREATE TABLE valias (valias_type smallint, alias char(32), domain char(96), valias_line text, copy smallint DEFAULT 0)",
		},
		newer: []string{"valias copy", "valias valias_type"},
		rows: []string{
			"INSERT INTO vpopmail VALUES ('anna', 'acme.test', '$1$x', 0, 0, 'Anna', '/home/vpopmail/domains/acme.test/anna', '1048576S,1000C', ''), ('ben', 'acme.test', '{BLF-CRYPT}$2y$x', 0, 26, 'Ben', '/home/vpopmail/domains/acme.test/ben', 'NOQUOTA', '')",
			`INSERT INTO valias (alias, domain, valias_line) VALUES ('a', 'acme.test', '&anna@acme.test'), ('k', 'acme.test', '&anna@acme.test'), ('out', 'acme.test', '&x@else.test'), ('all', 'acme.test', '&anna@acme.test'),
			('all', 'acme.test', '/home/vpopmail/domains/acme.test/ben/Maildir/'), ('list', 'acme.test', '|/usr/bin/ezmlm-send /lists/x, y')`,
		},
		change: func(anna, ben *model.Account) {
			anna.Home, ben.Home = "/home/vpopmail/domains/acme.test/anna", "/home/vpopmail/domains/acme.test/ben"
			anna.Location, ben.Location = "maildir:"+anna.Home+"/Maildir", "maildir:"+ben.Home+"/Maildir"
			anna.Forwards = nil
		},
		addresses: map[string][]string{"out@acme.test": {"x@else.test"}, "list@acme.test": nil},
		domains:   map[string]string{"acme.test": ""},
		notes:     []string{"no-delivery ben@acme.test", "pipe list@acme.test"},
	},
}
