package vcard

// byDAV says why the card cannot go by JMAP, or nothing.
func byDAV(c *card) string {
	if n := len(c.all("N")); n > 1 {
		return "several N"
	}
	if len(c.all("AGENT")) > 0 {
		return "AGENT"
	}
	return ""
}
