package sample

import (
	"embed"
	"path"
	"strings"
)

// Object is a calendar object or a card as some client writes it.
type Object struct {
	// Name is unique among its kind and begins with the client:
	// "outlook-weekly-meeting".
	Name string
	// Text is what the client writes, CRLF at the line ends.
	Text []byte
}

// Client is who writes such a text: "outlook".
func (o Object) Client() string {
	client, _, _ := strings.Cut(o.Name, "-")
	return client
}

//go:embed calendars/*.ics cards/*.vcf
var written embed.FS

// CalendarObjects are what Outlook, Exchange, Google, Apple, Thunderbird,
// Evolution, Nextcloud, old phones and users of Radicale have in their calendars, in the
// order of their names. Some hold several objects, some are damaged.
func CalendarObjects() []Object { return objects("calendars") }

// Cards are what they have in their address books.
func Cards() []Object { return objects("cards") }

func objects(dir string) []Object {
	entries, err := written.ReadDir(dir)
	if err != nil {
		return nil // the folder is part of the program
	}
	all := make([]Object, 0, len(entries))
	for _, e := range entries {
		text, err := written.ReadFile(path.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		name := strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
		all = append(all, Object{name, []byte(strings.ReplaceAll(string(text), "\n", "\r\n"))})
	}
	return all
}
