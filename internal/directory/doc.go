// Package directory says who exists: it reads accounts from Dovecot's
// passwd-files, CSV files and lists, and turns them with the rules and waves
// of an engagement into a plan that says who moves, whither, and when.
//
// It opens no file and no connection: readers are given to it, and what is
// wrong with one account is told as an error of that account, beside the
// others. It knows nothing of the configuration's syntax or of the servers.
package directory
