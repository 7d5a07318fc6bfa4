// Package doveconf learns from Dovecot's own configuration, as doveconf -n
// prints it, where the mail lies, who exists and how to log in. It reads the
// dialects of 2.3 and 2.4.
//
// It asks doveconf and reads no configuration file itself, because only
// Dovecot resolves includes and variables as Dovecot does. What it finds and
// cannot use, it names. It knows nothing of mailhaul's configuration.
package doveconf
