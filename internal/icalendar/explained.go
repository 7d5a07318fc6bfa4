package icalendar

import (
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// explain says why a fact may differ without the user seeing it; x is the
// source's, y the destination's; one of them may say nothing.
func explain(x, y fact) string {
	switch {
	case x.name == y.name && strings.HasPrefix(x.name, "X-") && x.params == y.params && contentline.Unescape(x.value) == contentline.Unescape(y.value):
		return "another way to escape the same text"
	case x.name == "STATUS" && x.value == "CONFIRMED" && y.name == "", y.name == "STATUS" && y.value == "CONFIRMED" && x.name == "":
		return "confirmed is what an event without STATUS is"
	}
	return ""
}
