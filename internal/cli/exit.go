package cli

import (
	"context"
	"errors"

	"mailhaul.org/mailhaul/internal/model"
)

// Exit codes; docs/operations.md promises them.
const (
	ExitOK          = 0
	ExitUsage       = 1 // usage or configuration
	ExitUnreachable = 2 // a server could not be reached, or refused the login
	ExitRefused     = 3 // done, but some items were refused
	ExitFailed      = 4 // some accounts failed
	ExitDifferences = 5 // verification found differences
)

// exit is an outcome that is no error of its own: the report has said why.
type exit struct{ code int }

func (e exit) Error() string { return "see the report" }

// outcome turns a code into what a command returns.
func outcome(code int) error {
	if code == ExitOK {
		return nil
	}
	return exit{code}
}

// failed is the code for what became of accounts: ExitUnreachable where none of
// them found its server, ExitFailed where some failed.
func failed[A any](accounts []A, errOf func(A) error) int {
	code, unreached := ExitOK, 0
	for _, a := range accounts {
		if err := errOf(a); err != nil {
			code = ExitFailed
			if unreachable(err) {
				unreached++
			}
		}
	}
	if unreached > 0 && unreached == len(accounts) {
		return ExitUnreachable
	}
	return code
}

// unreachable reports that a server did not answer or refused the login.
func unreachable(err error) bool {
	c := model.CodeOf(err)
	return c == model.CodeAuth || c == model.CodeUnreachable
}

// exitCode is the code for an error that ended a command.
func exitCode(err error) int {
	var e exit
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &e):
		return e.code
	case unreachable(err):
		return ExitUnreachable
	case model.CodeOf(err) != "", errors.Is(err, context.Canceled):
		return ExitFailed // to be continued
	}
	return ExitUsage
}
