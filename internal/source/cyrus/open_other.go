//go:build !linux

package cyrus

const noAtime = 0
