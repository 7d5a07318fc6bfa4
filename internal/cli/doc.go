// Package cli is mailhaul's command line: one file per command, flags,
// progress and exit codes.
//
// It holds no logic of a migration: it opens an engagement, calls one package
// and hands the outcome to report. Reports go to stdout, everything else to
// stderr, so that --json leaves one JSON document on stdout.
package cli
