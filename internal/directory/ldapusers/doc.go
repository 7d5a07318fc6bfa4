// Package ldapusers reads who exists from an LDAP directory: OpenLDAP and its
// like with the usual schemas, and Active Directory. A map says which
// attributes tell what; presets are the maps for well-known schemas.
//
// It knows LDAP and directory.Columns. It binds and searches, nothing else. It
// knows nothing of Dovecot or Courier, whose configurations are turned into a
// Server and searches elsewhere.
package ldapusers
