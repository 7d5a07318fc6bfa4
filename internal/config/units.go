package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of octets.
type Size int64

// Rate is a number of octets per second; 0 means no bound.
type Rate int64

var sizeUnits = map[string]float64{
	"": 1, "b": 1,
	"k": 1 << 10, "kib": 1 << 10, "kb": 1e3,
	"m": 1 << 20, "mib": 1 << 20, "mb": 1e6,
	"g": 1 << 30, "gib": 1 << 30, "gb": 1e9,
	"t": 1 << 40, "tib": 1 << 40, "tb": 1e12,
}

// bitUnits are how network people count.
var bitUnits = map[string]float64{"bit": 1. / 8, "kbit": 1e3 / 8, "mbit": 1e6 / 8, "gbit": 1e9 / 8}

// ParseSize reads "64MiB", "1.5 GB" or "4096": powers of 1024 with an i or a
// single letter, of 1000 without.
func ParseSize(s string) (Size, error) {
	n, ok := parseUnit(s, sizeUnits)
	if !ok {
		return 0, fmt.Errorf("%q is no size: write a number with a unit, as 64MiB", s)
	}
	return Size(n), nil
}

// ParseRate reads a size or a number of bits per second: "50MiB/s", "400Mbit/s".
func ParseRate(s string) (Rate, error) {
	if rest, ok := strings.CutSuffix(strings.TrimSpace(s), "/s"); ok {
		n, ok := parseUnit(rest, sizeUnits)
		if !ok {
			n, ok = parseUnit(rest, bitUnits)
		}
		if ok && n >= 1 {
			return Rate(n), nil
		}
	}
	return 0, fmt.Errorf("%q is no rate: write a number with a unit per second, as 50MiB/s or 400Mbit/s", s)
}

func parseUnit(s string, units map[string]float64) (float64, bool) {
	s = strings.TrimSpace(s)
	i := strings.LastIndexAny(s, "0123456789.") + 1
	unit, ok := units[strings.ToLower(strings.TrimSpace(s[i:]))]
	if !ok || i == 0 || strings.ContainsAny(s[:i], "xX_eEpPnN+-") {
		return 0, false // ParseFloat knows more notations than people do
	}
	n, err := strconv.ParseFloat(s[:i], 64)
	n *= unit
	if err != nil || n < 0 || n >= math.MaxInt64 {
		return 0, false
	}
	return n, true
}

// String uses the largest unit that leaves a whole number.
func (s Size) String() string {
	n, unit := int64(s), 0
	for n != 0 && n%1024 == 0 && unit < 4 {
		n, unit = n/1024, unit+1
	}
	return strconv.FormatInt(n, 10) + [...]string{"B", "KiB", "MiB", "GiB", "TiB"}[unit]
}

// String is "50MiB/s", or "unlimited".
func (r Rate) String() string {
	if r == 0 {
		return "unlimited"
	}
	return Size(r).String() + "/s"
}
