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

// exitCode is the code for an error that ended a command.
func exitCode(err error) int {
	var e exit
	switch code := model.CodeOf(err); {
	case err == nil:
		return ExitOK
	case errors.As(err, &e):
		return e.code
	case code == model.CodeAuth, code == model.CodeUnreachable:
		return ExitUnreachable
	case code != "", errors.Is(err, context.Canceled):
		return ExitFailed // to be continued
	}
	return ExitUsage
}
