package cyrus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source/findings"
)

const subject = "source: Cyrus"

// Check implements source.Checker: it reads the list of mailboxes and looks
// into every mailbox's index.
func (s *Source) Check(ctx context.Context) []model.Finding {
	m, err := s.mailboxes()
	if err != nil {
		return []model.Finding{model.Stop(subject, err)}
	}
	var v survey
	if v.annotations, err = s.annotated(); err != nil {
		v.damaged.Add(err.Error())
	}
	for _, e := range m.all {
		if ctx.Err() != nil {
			return []model.Finding{{Level: model.LevelStop, Subject: subject, Message: ctx.Err().Error(), Err: ctx.Err()}}
		}
		v.mailbox(s, e)
	}
	if m.damage != nil {
		v.damaged.Add(m.damage.Error())
	}
	if stop := v.Stop(subject, asOwner); stop != nil {
		return stop
	}
	out := []model.Finding{{Subject: subject, Message: fmt.Sprintf("%s of %s can be read, of index versions %s", plural.Count(v.read, "mailbox"), plural.Count(len(m.byOwner), "account"), v.versions())}}
	if v.deleted+v.expunged > 0 {
		out = append(out, model.Finding{Subject: subject, Message: fmt.Sprintf("%s and %s are still on disk and are left out", plural.Count(v.deleted, "deleted mailbox"), plural.Count(v.expunged, "expunged message"))})
	}
	if c := v.objects; len(c) > 0 {
		out = append(out, model.Finding{Subject: subject, Message: fmt.Sprintf("%s, %s and %d %s can be read", plural.Count(c[model.KindCalendar], "calendar"), plural.Count(c[model.KindContacts], "address book"), c[model.KindFiles], plural.Of(c[model.KindFiles], "folder of files", "folders of files"))})
	}
	out = append(out, findings.Warnings(subject,
		findings.Warning{Found: &v.nobodys, Message: "calendars, address books and files that belong to nobody are not carried", Remedy: "copy them into an account over CalDAV, CardDAV or WebDAV"},
		findings.Warning{Found: &v.ownerless, Message: "mailboxes that belong to nobody stay behind", Remedy: "write source.public into the engagement file: they move into a group"},
		findings.Warning{Found: &v.expire, Message: "messages are removed after some days (expire), which is not carried", Remedy: "set the destination's own rules, if it shall go on"},
		findings.Warning{Found: &v.comments, Message: "comments of mailboxes are not carried", Remedy: "note them"},
		findings.Warning{Found: &v.remote, Message: "mailboxes are on other servers of a murder", Remedy: "read those servers, too"},
		findings.Warning{Found: &v.damaged, Message: "damaged", Remedy: "repair on the old server: reconstruct MAILBOX; what is unreadable is named again when it is carried"},
	)...)
	out = append(out, v.Warnings(subject)...)
	if s.opts.Layout.Sieve == "" {
		out = append(out, model.Finding{Level: model.LevelWarning, Subject: subject, Message: "Sieve scripts lie in home directories (sieveusehomedir): ~/.sieve.script is read, of users that this host knows; a script of which only the compiled form is there is named by sync",
			Remedy: "have the users put the text of their script beside it, as ~/.sieve.script"})
	}
	return out
}

// CheckAs opens one account, as a run would.
func (s *Source) CheckAs(ctx context.Context, a model.Account) []model.Finding {
	title := subject + ", account " + a.Login
	st, err := s.Open(ctx, a)
	var cols []model.Collection
	if err == nil {
		cols, err = st.Collections(ctx)
	}
	if err != nil {
		return []model.Finding{model.Stop(title, err)}
	}
	return []model.Finding{{Subject: title, Message: plural.Count(len(cols), "mailbox")}}
}

// survey collects what a check finds.
type survey struct {
	findings.Disk
	read, deleted, expunged             int
	version                             map[uint32]int
	objects                             map[model.Kind]int // calendars, address books, folders of files
	nobodys, ownerless, remote, damaged findings.Examples
	expire, comments                    findings.Examples
	annotations                         map[string][]annotation
}

func (v *survey) versions() string {
	var out []string
	for _, n := range slices.Sorted(maps.Keys(v.version)) {
		out = append(out, fmt.Sprintf("%d (%d)", n, v.version[n]))
	}
	return strings.Join(out, ", ")
}

// objectMailbox looks at one that holds events, cards or files.
func (v *survey) objectMailbox(s *Source, e entry) {
	if _, _, owned := e.name.owner(); !owned {
		v.nobodys.Add(e.name.String())
		return
	}
	c, ok := (&Store{src: s}).objectCollection(e, nil, "")
	if !ok {
		return // a home, an inbox of invitations
	}
	switch _, err := s.indexHeader(e); {
	case errors.Is(err, fs.ErrPermission):
		v.Denied.Add(err.Error())
	case err != nil:
		v.damaged.Add(e.name.String() + ": " + err.Error())
	default:
		if v.objects == nil {
			v.objects = map[model.Kind]int{}
		}
		v.objects[c.Kind]++
	}
}

func (v *survey) mailbox(s *Source, e entry) {
	name := e.name.String()
	if e.deleted {
		v.deleted++
		return
	}
	owner, _, owned := e.name.owner()
	switch e.content(s.opts.Layout.SieveFolder) {
	case kindCalendar, kindAddressBook, kindFiles:
		v.objectMailbox(s, e)
		return
	case kindRemote:
		v.remote.Add(name + " on " + e.server)
		return
	case kindIntermediate, kindOther, kindSieve:
		return
	}
	if !owned && s.opts.Public {
		// told as an account of its own
	} else if !owned {
		v.ownerless.Add(name)
	} else if slices.ContainsFunc(e.acl, func(g model.Grant) bool { return g.Identifier != owner }) {
		v.Shared.Add(name)
	}
	for _, a := range annotationsOf(v.annotations, e) {
		switch a.entry {
		case entryExpire:
			v.expire.Add(name + ": " + a.value)
		case entryComment:
			v.comments.Add(name)
		}
	}
	p, err := s.place(e)
	if err != nil {
		v.damaged.Add(name + ": " + err.Error())
		return
	}
	f, err := p.openMeta("cyrus.index")
	if os.IsPermission(err) {
		v.Denied.Add(err.Error())
		return
	}
	if err != nil {
		v.damaged.Add(name + ": " + err.Error())
		return
	}
	defer f.Close()
	h, err := readIndexHeader(f, s.opts.Pause)
	if err != nil {
		v.damaged.Add(name + ": " + err.Error())
		return
	}
	if v.version == nil {
		v.version = map[uint32]int{}
	}
	v.read++
	v.version[h.version]++
	expunged := 0
	sc := scan{file: f, header: h, pause: s.opts.Pause}
	err = sc.run(func(r record) bool {
		if !r.live() {
			expunged++
		}
		return true
	})
	v.expunged += expunged
	switch {
	case err != nil:
		v.damaged.Add(name + ": " + err.Error())
	case sc.bad > 0:
		v.damaged.Add(fmt.Sprintf("%s: %s of cyrus.index", name, plural.Count(sc.bad, "record")))
	}
	if _, err := p.header(); err != nil {
		v.damaged.Add(name + ": " + err.Error())
	}
}
