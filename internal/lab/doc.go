// Package lab starts real servers for tests: on 127.0.0.1, on free ports,
// with their files in the test's temporary folder, stopped by process id when
// the test ends. Where a server's program is missing, the test is skipped
// with a message that says what to install.
//
// Only tests import it. It knows how to configure those servers and nothing
// about migrations.
package lab
