// Package dbtest writes databases of Cyrus, octet by octet as the formats are
// documented, for tests of what reads them. It shares no code with the reader.
package dbtest
