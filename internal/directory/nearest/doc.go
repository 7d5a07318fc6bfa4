// Package nearest finds the name that somebody probably meant. It knows
// nothing of what the names stand for.
package nearest
