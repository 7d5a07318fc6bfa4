// Package config reads the engagement file, mailhaul.yaml: which source, which
// destination, who moves and how fast.
//
// It is strict: an unknown key, a value of the wrong kind or a combination
// that makes no sense is a problem with its line and column, and all problems
// are told at once. Secrets are references (env:NAME, file:PATH) that are
// resolved when they are needed and never printed.
//
// It knows the file's syntax and what settings mean together. It opens no
// server and no file but its own and those of secrets.
package config
