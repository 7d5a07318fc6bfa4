// Package specialuse tells a mailbox's special use from its name, for
// servers that do not offer SPECIAL-USE (RFC 6154). It knows the names that
// widespread mail programs give in many languages, and nothing else.
package specialuse
