// Package site lays the sample organisation out as real hosts keep it: in
// passwd-files, in LDAP, in a database with PostfixAdmin's schema, each behind a
// real Postfix whose tables lead there.
//
// It knows the lab's servers and package sample. It knows nothing of what is
// tested with them.
package site
