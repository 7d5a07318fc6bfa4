//go:build !linux

package maildir

const noAtime = 0
