package assess

import (
	"context"
	"fmt"
	"strings"

	"mailhaul.org/mailhaul/internal/sieve"
	"mailhaul.org/mailhaul/internal/source"
)

// scripts finds what the destination would not run. A script with such a line
// is not carried, active or not.
func (e *examiner) scripts(ctx context.Context) error {
	s, ok := e.store.(source.Scripts)
	if !ok {
		return nil
	}
	scripts, err := s.Scripts(ctx)
	if err != nil {
		if ctx.Err() != nil || lost(err) {
			return err
		}
		e.note(Anomaly{Code: "scriptsUnreadable", Text: err.Error(), Loss: true, Remedy: "repair them at the source, or give the login access to them"})
		return nil
	}
	limits := sieve.Limits{MaxSize: e.Limits.MaxScript, MaxRedirects: e.Limits.SieveMaxRedirect}
	for _, sc := range scripts {
		e.out.Scripts++
		if strings.EqualFold(sc.Name, "vacation") { // RFC 9661 §2.4
			e.note(Anomaly{Code: "scriptRenamed", Item: sc.Name, Text: "the destination keeps this name for its vacation response: the script gets another"})
		}
		for _, i := range sieve.Check(sc.Content, e.Limits.SieveExtensions, limits) {
			if e.Limits.SieveExtensions == nil && aboutExtension(i) {
				continue // nobody to ask which there are
			}
			text := fmt.Sprintf("line %d: %s", i.Line, i.Message)
			if i.Line == 0 {
				text = i.Message
			}
			if !sc.Active {
				text += " (the script is not active)"
			}
			e.note(Anomaly{Code: "script", Item: sc.Name, Text: text, Remedy: i.Proposal, Loss: true})
		}
	}
	return nil
}

// aboutExtension reports that an issue is about what the destination offers.
func aboutExtension(i sieve.Issue) bool {
	return i.What != "size" && i.What != "syntax" && i.What != "redirect"
}
