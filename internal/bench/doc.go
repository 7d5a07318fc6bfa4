// Package bench measures mailhaul beside the field's other tools and beside
// what the destination can take in, on the same mail, between the same servers,
// in one run: machines differ and are noisy, so ratios count. `make bench` runs
// it, docs/performance.md tells what it shows. It holds no code of the program.
package bench
