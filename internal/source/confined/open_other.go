//go:build !linux

package confined

const noAtime = 0
