package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// Problem is one thing that is wrong with an engagement file.
type Problem struct {
	File string
	// Line and Column count from 1, columns in characters; 0 when the problem
	// has no place.
	Line, Column int
	// Message says what is wrong and what to write instead. It never holds a
	// secret.
	Message string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Problems are all that is wrong with an engagement file, in its order. Load
// wraps them in a model.Fault of model.ClassFatal without a code.
type Problems []Problem

// Error has one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// fault sorts problems and makes them an error; nil when there are none.
func (ps Problems) fault() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &model.Fault{Class: model.ClassFatal, Err: ps}
}
