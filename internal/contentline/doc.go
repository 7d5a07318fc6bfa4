// Package contentline reads and writes the lines that calendar objects (RFC
// 5545 §3.1) and cards (RFC 6350 §3.2) are made of: character sets, folding,
// names, groups, parameters and their quoting (RFC 6868).
//
// It reads everything that clients have ever written and loses nothing: what
// is no content line comes back as a line without a name, for the caller to
// decide. What had to be changed to read it is named by a Remark. A line that
// nobody changes is written with the octets that it had, folded anew.
//
// It knows no property and no component.
package contentline
