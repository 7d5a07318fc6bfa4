package dav

import (
	"encoding/xml"
	"strings"
)

const (
	nsDAV     = "DAV:"
	nsCalDAV  = "urn:ietf:params:xml:ns:caldav"
	nsCardDAV = "urn:ietf:params:xml:ns:carddav"
	nsCS      = "http://calendarserver.org/ns/"
	nsApple   = "http://apple.com/ns/ical/"
	nsInf     = "http://inf-it.com/ns/ab/" // colours of address books, as Radicale and InfCloud have them
)

func dav(local string) xml.Name     { return xml.Name{Space: nsDAV, Local: local} }
func caldav(local string) xml.Name  { return xml.Name{Space: nsCalDAV, Local: local} }
func carddav(local string) xml.Name { return xml.Name{Space: nsCardDAV, Local: local} }
func cs(local string) xml.Name      { return xml.Name{Space: nsCS, Local: local} }
func apple(local string) xml.Name   { return xml.Name{Space: nsApple, Local: local} }
func inf(local string) xml.Name     { return xml.Name{Space: nsInf, Local: local} }

var prefixes = map[string]string{nsDAV: "d", nsCalDAV: "c", nsCardDAV: "a", nsCS: "s", nsApple: "i", nsInf: "n"}

// document is a request's body: a root element with all prefixes and what is
// in it.
func document(root xml.Name, inside string) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n<" + tag(root))
	for _, ns := range []string{nsDAV, nsCalDAV, nsCardDAV, nsCS, nsApple, nsInf} {
		b.WriteString(` xmlns:` + prefixes[ns] + `="` + ns + `"`)
	}
	b.WriteString(">" + inside + "</" + tag(root) + ">")
	return []byte(b.String())
}

func tag(n xml.Name) string { return prefixes[n.Space] + ":" + n.Local }

// element writes an element with a text.
func element(n xml.Name, text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return "<" + tag(n) + ">" + b.String() + "</" + tag(n) + ">"
}

// prop asks for properties.
func prop(names ...xml.Name) string {
	var b strings.Builder
	b.WriteString("<d:prop>")
	for _, n := range names {
		b.WriteString("<" + tag(n) + "/>")
	}
	b.WriteString("</d:prop>")
	return b.String()
}

func propfind(names ...xml.Name) []byte { return document(dav("propfind"), prop(names...)) }
