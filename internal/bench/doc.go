// Package bench measures a bulk load beside the field's other tools, on the
// same mail, between the same servers, in one run: machines differ and are
// noisy, so ratios count. `make bench` runs it. It holds no code of the
// program.
package bench
