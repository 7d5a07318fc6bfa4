package sieve

import (
	"fmt"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// respond adds a response to a script. Both have to be in the one script that
// is active: at the destination a response of its own would put the script out
// of force. It answers whatever the script then does with the message, as it
// did at the source.
func (c *conversion) respond(text []byte, v model.Vacation) ([]byte, error) {
	cmds, err := parse(text)
	if err != nil {
		return nil, err
	}
	if !c.target.offers("vacation") {
		c.note(Change{What: "vacation", Text: "the destination answers no mail", Loss: true})
		return text, nil
	}
	if answersMail(text) {
		c.note(Change{What: "vacation", Text: "the script answers mail itself: the account's own response is left out", Loss: true,
			Proposal: "ask the user which of them counts"})
		return text, nil
	}
	var a strings.Builder
	a.WriteString("vacation")
	if v.Days > 0 {
		fmt.Fprintf(&a, " :days %d", v.Days)
	}
	if v.Subject != "" {
		a.WriteString(" :subject " + quote(oneLine(v.Subject)))
	}
	if len(v.Addresses) > 0 {
		a.WriteString(" :addresses " + quoteList(v.Addresses))
	}
	a.WriteString(" " + quote(v.Text) + ";")
	var when []string
	for _, b := range []struct {
		t  time.Time
		op string
	}{{v.From, "ge"}, {v.Until, "lt"}} {
		if !b.t.IsZero() {
			when = append(when, fmt.Sprintf(`currentdate :zone "+0000" :value %s "iso8601" %s`, quote(b.op), quote(b.t.UTC().Format("2006-01-02T15:04:05"))))
		}
	}
	answer := a.String()
	if len(when) > 0 {
		answer = "if " + combine("allof", when) + " { " + answer + " }"
	}
	nl := newline(text)
	e := &editor{src: text}
	e.insert(top(text, cmds), endLineAt(text, cmds)+"# mailhaul: the account's own response"+nl+answer+nl)
	c.note(Change{What: "vacation", Text: "the account's own response is part of the script: the destination runs one script"})
	return e.apply(), nil
}

// endLineAt ends the last line where all is comment or require.
func endLineAt(text []byte, cmds []command) string {
	if top(text, cmds) == len(text) {
		return endLine(text)
	}
	return ""
}
