package cli

import (
	"errors"
	"fmt"
	"io"

	"mailhaul.org/mailhaul/internal/engagement"
	"mailhaul.org/mailhaul/internal/report"
)

// forms are the files of a report besides its JSON, by the end of their names.
type forms map[string]func(io.Writer) error

// publish keeps a report in the engagement's folder, as JSON and in other
// forms, and shows it. What could not be kept is shown all the same.
func (a *app) publish(e *engagement.Engagement, command string, v any, table func(io.Writer) error, others forms) error {
	saved := a.save(e, command, v, others)
	if err := a.show(command, v, table); err != nil {
		return err
	}
	return saved
}

// save says where it keeps a report. A rehearsal leaves none.
func (a *app) save(e *engagement.Engagement, command string, v any, others forms) error {
	if e.Rehearsal() {
		return nil
	}
	files := forms{".json": func(w io.Writer) error { return report.WriteJSON(w, command, a.now(), a.version, v) }}
	for end, write := range others {
		files[end] = write
	}
	paths, err := report.Save(e.Reports(), command, a.now(), files)
	if err != nil {
		return errors.Join(errors.New("the report could not be kept"), err)
	}
	for _, p := range paths {
		a.tell("report: " + p)
	}
	return nil
}

// show writes a report: v as JSON if asked for, else what table writes.
func (a *app) show(command string, v any, table func(io.Writer) error) error {
	if a.json {
		return report.WriteJSON(a.Out, command, a.now(), a.version, v)
	}
	return table(a.Out)
}

// tell writes a line for humans beside the report.
func (a *app) tell(line string) { fmt.Fprintln(a.Err, line) }
