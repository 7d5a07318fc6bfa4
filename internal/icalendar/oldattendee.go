package icalendar

import (
	"net/mail"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// oldAnswers are the values of STATUS of an attendee in vCalendar 1.0 ("Attendee")
// and of PARTSTAT in RFC 5545 §3.2.12. An invitation that was sent has no answer
// yet.
var oldAnswers = map[string]string{
	"ACCEPTED": "ACCEPTED", "CONFIRMED": "ACCEPTED", "DECLINED": "DECLINED", "TENTATIVE": "TENTATIVE", "DELEGATED": "DELEGATED",
	"NEEDS ACTION": "NEEDS-ACTION", "NEEDS-ACTION": "NEEDS-ACTION", "SENT": "NEEDS-ACTION", "COMPLETED": "COMPLETED",
}

// oldExpectations are those of EXPECT and of ROLE (RFC 5545 §3.2.16). IMMEDIATE,
// which wants an answer at once, has no equivalent.
var oldExpectations = map[string]string{"FYI": "NON-PARTICIPANT", "REQUIRE": "REQ-PARTICIPANT", "REQUEST": "OPT-PARTICIPANT"}

// people writes the attendees of vCalendar 1.0 as RFC 5545 does: name and address
// apart, parameters by their new names. Whose words have no equivalent keeps them.
// The organizer becomes ORGANIZER, too, where there is one: only who is said to be
// that, or the only owner where nobody is.
func (p *preparation) people(o *Component) {
	named := map[string][]int{}
	for i, l := range o.Lines {
		if !l.Is("ATTENDEE") {
			continue
		}
		now, role, ok := modernAttendee(l, o.Name)
		if !ok {
			continue
		}
		p.remark("attendee", o.Text("UID"), l.Number, "ATTENDEE:%s, in the words of vCalendar 1.0, becomes %s", contentline.Shorten(l.Value), now.Value)
		o.Lines[i] = now
		named[role] = append(named[role], i)
	}
	for _, role := range []string{"ORGANIZER", "OWNER"} {
		who := named[role]
		if len(who) != 1 || o.has("ORGANIZER") {
			continue
		}
		at := who[0]
		l := o.Lines[at].Without("ROLE", "PARTSTAT", "STATUS", "RSVP", "CUTYPE", "EXPECT", "X-VCALENDAR-ROLE").WithName("ORGANIZER")
		p.remark("attendee", o.Text("UID"), l.Number, "%s, who is its %s, becomes ORGANIZER, too", l.Value, strings.ToLower(role))
		if o.Lines[at].First("ROLE") == role {
			o.Lines[at] = o.Lines[at].Without("ROLE") // said by ORGANIZER now
		}
		o.Lines = slices.Insert(o.Lines, at, l)
		break
	}
}

// modernAttendee rewrites one, of a component of a kind; role is the one of
// vCalendar 1.0. false: it has no mail address, and stays as it is.
func modernAttendee(l contentline.Line, kind string) (now contentline.Line, role string, ok bool) {
	name, address, ok := mailbox(l.Value)
	if !ok {
		return l, "", false
	}
	var params []contentline.Param
	add := func(name, value string) {
		if !slices.ContainsFunc(params, func(p contentline.Param) bool { return strings.EqualFold(p.Name, name) }) {
			params = append(params, contentline.Param{Name: name, Values: []string{value}})
		}
	}
	if name != "" {
		add("CN", name)
	}
	role = strings.ToUpper(strings.TrimSpace(l.First("ROLE")))
	expected := oldExpectations[strings.ToUpper(strings.TrimSpace(l.First("EXPECT")))]
	for _, q := range l.Params {
		v := ""
		if len(q.Values) > 0 {
			v = strings.ToUpper(strings.TrimSpace(q.Values[0]))
		}
		switch strings.ToUpper(q.Name) {
		case "ROLE":
			switch {
			case v == "ATTENDEE" || v == "" || v == "ORGANIZER" && expected != "":
			case v == "OWNER" && expected != "", v == "DELEGATE" && expected != "":
				add("X-VCALENDAR-ROLE", v)
			default:
				add("ROLE", v)
			}
		case "STATUS":
			answer := oldAnswers[strings.ReplaceAll(v, "_", " ")]
			if answer == "" || answer == "COMPLETED" && kind != "VTODO" {
				params = append(params, q)
				continue
			}
			add("PARTSTAT", answer)
		case "RSVP":
			switch v {
			case "YES", "TRUE":
				add("RSVP", "TRUE")
			case "NO", "FALSE":
				add("RSVP", "FALSE")
			default:
				params = append(params, q)
			}
		case "EXPECT":
			if expected == "" {
				params = append(params, q)
			} else {
				add("ROLE", expected)
			}
		case "TYPE", "CUTYPE":
			switch v {
			case "INDIVIDUAL", "GROUP", "RESOURCE", "ROOM", "UNKNOWN":
				add("CUTYPE", v)
			default:
				params = append(params, q)
			}
		case "VALUE", "ENCODING", "CHARSET": // of a text, as it was
		default:
			params = append(params, q)
		}
	}
	return contentline.New("ATTENDEE", "mailto:"+address, params...), role, true
}

// mailbox reads "Name <mail>", an address alone or a link to one.
func mailbox(value string) (name, address string, ok bool) {
	value = strings.TrimSpace(contentline.Unescape(value))
	if len(value) > 7 && strings.EqualFold(value[:7], "mailto:") {
		value = value[7:]
	}
	name, address = "", value
	if i := strings.LastIndexByte(value, '<'); i >= 0 && strings.HasSuffix(value, ">") {
		name, address = strings.Trim(strings.TrimSpace(value[:i]), `"`), value[i+1:len(value)-1]
		if len(address) > 7 && strings.EqualFold(address[:7], "mailto:") {
			address = address[7:]
		}
	}
	address = strings.TrimSpace(address)
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || parsed.Name != "" {
		return "", "", false
	}
	return name, address, true
}
