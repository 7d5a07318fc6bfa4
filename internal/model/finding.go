package model

import "errors"

// Level grades a Finding.
type Level uint8

const (
	LevelOK Level = iota
	LevelWarning
	// LevelStop means that a run would fail or lose something.
	LevelStop
)

func (l Level) String() string {
	return [...]string{"ok", "warning", "stop"}[l]
}

// Finding is one line of a check: what was looked at, what was found, and
// what the administrator can do about it.
type Finding struct {
	Level   Level
	Subject string // "destination: upload quota"
	Message string
	Remedy  string // empty when Level is LevelOK
	// Class tells why it stops, so that the exit code can: ClassFatal with
	// Auth or Unreachable faults. Nil when Level is not LevelStop.
	Err error
}

// Stop is the finding of an error. What can be done about it stands apart from
// what has happened, if a Fault tells both.
func Stop(subject string, err error) Finding {
	f := Finding{Level: LevelStop, Subject: subject, Message: err.Error(), Err: err}
	if fault, ok := errors.AsType[*Fault](err); ok {
		f.Remedy = fault.Remedy
		if fault.Err != nil {
			f.Message = fault.Err.Error()
		}
	}
	return f
}
