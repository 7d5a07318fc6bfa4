package sandbox

import (
	"fmt"
	"strings"
)

// vacation is the response of an account (RFC 8621 §8): beside its properties
// a script, which is active while the response is enabled.
type vacation struct {
	doc                  uint32 // script
	from, to             *string
	subject, text, html_ *string
}

func (a *account) vacationEnabled() bool {
	return a.vacation != nil && a.hasActive && a.active == a.vacation.doc
}

// vacationGet shows the vacation response.
func vacationGet(c *call) (obj, *methodError) {
	w, a, fail := c.wantsOf(c.owner)
	if fail != nil {
		return nil, fail
	}
	if w.all {
		w.ids = []uint64{singletonID}
	}
	var list []any
	for _, id := range w.ids {
		if id != singletonID {
			w.missing(id)
			continue
		}
		v := a.vacation
		if v == nil {
			v = &vacation{}
		}
		o := obj{"id": "singleton", "isEnabled": a.vacationEnabled()}
		for name, s := range v.texts() {
			o[name] = nil
			if *s != nil {
				o[name] = **s
			}
		}
		list = append(list, w.pick(o))
	}
	return c.got(w, a.sieveState(), list), nil
}

func (v *vacation) texts() map[string]**string {
	return map[string]**string{"fromDate": &v.from, "toDate": &v.to, "subject": &v.subject, "textBody": &v.text, "htmlBody": &v.html_}
}

// The server takes texts shorter than this.
const maxVacation, maxVacationSubject = 2048, 512

func vacationSet(c *call) (obj, *methodError) {
	set, a, fail := c.settingOf(c.owner, (*account).sieveState)
	if fail != nil {
		return nil, fail
	}
	for _, m := range c.args.get("create").members {
		set.notCreated[m.name] = newSetError("singleton", "")
	}
	for _, m := range c.args.get("update").members {
		if m.name != "singleton" {
			set.notUpdated[m.name] = newSetError("notFound", "ID not found.")
			continue
		}
		if fail := c.step(); fail != nil {
			return nil, fail
		}
		bad, fail := c.respond(a, m.value)
		if fail != nil {
			return nil, fail
		}
		if bad != nil {
			set.notUpdated[m.name] = bad
			continue
		}
		set.updated[m.name] = nil
	}
	set.new = a.sieveState()
	return set.response(), nil
}

// respond changes the response, and with it which script is active.
func (c *call) respond(a *account, v value) (setError, *methodError) {
	next := vacation{}
	if a.vacation != nil {
		next = *a.vacation
	}
	enabled := a.vacationEnabled()
	for _, p := range v.members {
		text, known := next.texts()[p.name]
		most := maxVacation
		if p.name == "subject" {
			most = maxVacationSubject
		}
		switch {
		case p.name == "isEnabled" && (p.value.kind == kindBool || p.value.kind == kindNull):
			enabled = p.value.bool
		case known && p.value.kind == kindNull:
			*text = nil
		case known && p.value.kind == kindString && len(p.value.text) < most:
			s := p.value.text
			*text = &s
		default:
			return invalidProperty("Field could not be set.", p.name), nil
		}
	}
	op := updateItem
	if next.doc == 0 {
		a.nextScript++
		next.doc = a.nextScript
		op = insertItem
	}
	body := "I am away."
	if next.text != nil {
		body = *next.text
	}
	content := fmt.Sprintf("require [\"vacation\", \"relational\", \"date\"];\r\n\r\nvacation :mime \"%s\";\r\n", strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(body))
	if fail := c.s.keepScript(a, &sieveChange{sc: script{doc: next.doc, name: "vacation"}, content: []byte(content)}); fail != nil {
		return nil, fail
	}
	a.logs[logSieve].add(a.nextChange(), op, uint64(next.doc))
	a.vacation = &next
	switch {
	case enabled:
		a.active, a.hasActive = next.doc, true
	case a.hasActive && a.active == next.doc:
		a.hasActive = false
	}
	return nil, nil
}
