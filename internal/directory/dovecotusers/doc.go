// Package dovecotusers reads who exists as Dovecot itself would: it lists the
// users of Dovecot's userdbs and asks its passdbs and userdbs about each, in
// their order, with the same queries, filters and files.
//
// It knows what passdbs and userdbs mean together. The settings are given to
// it (doveconf); SQL and LDAP are asked through sqlusers and ldapusers. Where
// only code knows (PAM, Lua, checkpassword), it says so and takes the rest.
package dovecotusers
