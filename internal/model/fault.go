package model

import (
	"errors"
	"fmt"
	"time"
)

// Class says how far an error reaches.
type Class uint8

const (
	// ClassRetry passes by itself: try again, after RetryAfter if given.
	ClassRetry Class = iota + 1
	// ClassItem refuses one item; the run goes on.
	ClassItem
	// ClassAccount stops one account; the others go on.
	ClassAccount
	// ClassFatal stops the run: wrong credentials, disk full.
	ClassFatal
)

// Fault is an error that knows its class and what it concerns.
type Fault struct {
	Class Class
	// Code is short and stable, for reports and for decisions in code, as
	// "invalidEmail", "overQuota", "unreachable", "auth", "gone".
	Code string
	// Account, Collection and Item name what it concerns, in words that an
	// administrator can search for; empty where they do not apply.
	Account, Collection, Item string
	// Remedy is what the administrator can do, or empty.
	Remedy     string
	RetryAfter time.Duration
	Err        error
}

// Codes with a meaning to more than one package.
const (
	CodeAuth        = "auth"        // the server refused the login
	CodeUnreachable = "unreachable" // no connection could be made
	CodeGone        = "gone"        // the item vanished since it was listed
)

func (f *Fault) Error() string {
	s := ""
	for _, p := range []string{f.Account, f.Collection, f.Item} {
		if p != "" {
			s += p + ": "
		}
	}
	if f.Err != nil {
		s += f.Err.Error()
	} else {
		s += f.Code
	}
	if f.Remedy != "" {
		s += " (" + f.Remedy + ")"
	}
	return s
}

func (f *Fault) Unwrap() error { return f.Err }

// Faultf makes a Fault with a formatted cause; %w wraps as in fmt.Errorf.
func Faultf(class Class, code, format string, args ...any) *Fault {
	return &Fault{Class: class, Code: code, Err: fmt.Errorf(format, args...)}
}

// ClassOf returns the class of the outermost Fault in err's chain. An error
// without one stops its account: nothing is retried or skipped by guess.
func ClassOf(err error) Class {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Class
	}
	return ClassAccount
}

// CodeOf returns the code of the outermost Fault in err's chain, or "".
func CodeOf(err error) string {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Code
	}
	return ""
}
