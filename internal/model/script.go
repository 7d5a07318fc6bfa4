package model

import "time"

// Script is a Sieve script (RFC 5228) of one account.
type Script struct {
	Name    string
	Content []byte
	Active  bool
	// Remarks are what a translation from another language left out.
	Remarks []string
}

// ScriptSetting is what surrounds an account's scripts at a source, as far as
// the source can tell. Its zero value is a server that runs nothing else.
type ScriptSetting struct {
	// Before and After run before and after the active script, in order, each
	// only if the one before it kept the message (Dovecot's sieve_before and
	// sieve_after).
	Before, After []Script
	// Default runs for an account without an active script; nil: none does.
	Default *Script
	// Global are the scripts that users' scripts include by name.
	Global []Script
	// Environment are values of environment items, by names in lower case.
	Environment map[string]string
	// Vacation is a response that the server keeps beside the scripts.
	Vacation *Vacation
	// VacationApart says that an account without any script gets the response
	// at the destination as it is here: beside the scripts, by provisioning.
	VacationApart bool
}

// Vacation is an automatic response that a server keeps beside its scripts, as
// JMAP's VacationResponse (RFC 8621 §8) is.
type Vacation struct {
	Subject string // empty: the server's own
	Text    string // plain text
	// Addresses are the user's others: a response is sent only to mail that
	// names one of the user's addresses in To or Cc.
	Addresses []string
	Days      int // between two responses to one sender; 0: the server's own
	// From and Until bound when it answers; zero: no bound.
	From, Until time.Time
}
