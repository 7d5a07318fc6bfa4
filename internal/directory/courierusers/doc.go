// Package courierusers reads who exists as Courier does: from its userdb, and
// from the SQL databases and LDAP directories that authmysqlrc, authpgsqlrc,
// authsqliterc and authldaprc name, in the order of authmodulelist.
//
// It knows Courier's files (courierconf), databases (sqlusers) and directories
// (ldapusers), and turns what they tell into accounts by
// directory.CourierOptions. It only reads.
package courierusers
