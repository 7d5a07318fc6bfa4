package randomtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// variable holds the seed that is to be repeated.
const variable = "MAILHAUL_SEED"

// Given returns the seed of the environment, if there is one.
func Given(t testing.TB) (seed uint64, ok bool) {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return 0, false
	}
	seed, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s is %q, not a number", variable, s)
	}
	return seed, true
}

// One returns the seed of the environment, else a random one, which the test
// tells when it fails.
func One(t testing.TB) uint64 {
	t.Helper()
	seed, ok := Given(t)
	if !ok {
		seed = rand.Uint64() >> 1
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s=%d repeats it", variable, seed)
		}
	})
	return seed
}

// Run runs a test with n random seeds, or with the one of the environment alone;
// its name says with which.
func Run(t *testing.T, n int, test func(t *testing.T, seed uint64)) {
	t.Helper()
	given, ok := Given(t)
	if ok {
		n = 1
	}
	for range n {
		seed := given
		if !ok {
			seed = rand.Uint64() >> 1
		}
		t.Run(fmt.Sprintf("%s=%d", variable, seed), func(t *testing.T) { test(t, seed) })
	}
}
