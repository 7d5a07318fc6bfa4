package postfix

import "strings"

// defaults are those of the parameters that say who receives what
// (postconf(5)), where they are not empty.
var defaults = map[string]string{
	"alias_maps":                          "hash:/etc/aliases",
	"alias_database":                      "hash:/etc/aliases",
	"allow_mail_to_commands":              "alias, forward",
	"allow_mail_to_files":                 "alias, forward",
	"config_directory":                    "/etc/postfix",
	"canonical_classes":                   "envelope_sender, envelope_recipient, header_sender, header_recipient",
	"default_database_type":               "hash",
	"inet_interfaces":                     "all",
	"local_recipient_maps":                "proxy:unix:passwd.byname $alias_maps",
	"local_transport":                     "local:$myhostname",
	"mydestination":                       "$myhostname, localhost.$mydomain, localhost",
	"myorigin":                            "$myhostname",
	"owner_request_special":               "yes",
	"propagate_unmatched_extensions":      "canonical, virtual",
	"recipient_canonical_classes":         "envelope_recipient, header_recipient",
	"append_at_myorigin":                  "yes",
	"smtpd_sender_login_maps":             "",
	"swap_bangpath":                       "yes",
	"virtual_alias_domains":               "$virtual_alias_maps",
	"virtual_alias_expansion_limit":       "1000",
	"virtual_alias_recursion_limit":       "1000",
	"virtual_mailbox_domains":             "$virtual_mailbox_maps",
	"virtual_transport":                   "virtual",
	"default_transport":                   "smtp",
	"relay_transport":                     "relay",
	"parent_domain_matches_subdomains":    "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps",
	"expand_owner_alias":                  "no",
	"strict_mailbox_ownership":            "yes",
	"virtual_alias_address_length_limit":  "1000",
	"forward_path":                        "$home/.forward${recipient_delimiter}${extension}, $home/.forward",
	"unknown_local_recipient_reject_code": "550",
}

// appendsDomain is append_dot_mydomain: whether "user@host" gets the domain. It
// is the default of Postfix before 3.0, and of a configuration that is said to
// be as old.
func (s Settings) appendsDomain() bool {
	switch v := strings.ToLower(s.Get("append_dot_mydomain")); {
	case v == "yes":
		return true
	case v == "no":
		return false
	}
	level := s.Get("compatibility_level")
	return level == "" || level == "0"
}
