// Package translate says what a message's flags, keywords, date and bytes
// become at a JMAP destination (RFC 8621 §4.1). The engine writes by these
// rules, verification compares by them and the assessment reports by them,
// so they live in one place. It does no I/O.
package translate
