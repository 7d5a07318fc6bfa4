package stalwart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

const nsBoth = `xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav"`

// uidOnly asks for entity tags and UIDs, nothing else of a content.
func uidOnly(d dialect) string {
	if d.kind == model.KindContacts {
		return `<D:prop><D:getetag/><A:address-data><A:prop name="UID"/></A:address-data></D:prop>`
	}
	var b strings.Builder
	b.WriteString(`<D:prop><D:getetag/><C:calendar-data><C:comp name="VCALENDAR">`)
	for _, c := range calendarKinds {
		b.WriteString(`<C:comp name="` + c + `"><C:prop name="UID"/></C:comp>`)
	}
	b.WriteString(`</C:comp></C:calendar-data></D:prop>`)
	return b.String()
}

// calendarKinds are the components that a calendar object has (RFC 4791 §4.1).
var calendarKinds = []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"}

func contentProp(d dialect) string {
	if d.kind == model.KindContacts {
		return `<D:prop><D:getetag/><A:address-data/></D:prop>`
	}
	return `<D:prop><D:getetag/><C:calendar-data/></D:prop>`
}

// uidOf reads the UID of a card or calendar object.
func uidOf(data string) string {
	for rest := data; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		name := line
		if i := strings.IndexAny(line, ";:"); i >= 0 {
			name = line[:i]
		}
		if !strings.EqualFold(strings.TrimRight(name[strings.LastIndexByte(name, '.')+1:], "\r"), "UID") {
			continue
		}
		line = strings.TrimSuffix(line, "\r")
		for rest != "" && (rest[0] == ' ' || rest[0] == '\t') {
			var more string
			more, rest, _ = strings.Cut(rest[1:], "\n")
			line += strings.TrimSuffix(more, "\r")
		}
		if _, value, ok := strings.Cut(line, ":"); ok {
			return unescapeText(value)
		}
	}
	return ""
}

var escapesOfText = strings.NewReplacer(`\\`, `\`, `\,`, `,`, `\;`, `;`, `\n`, "\n", `\N`, "\n")

func unescapeText(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	return escapesOfText.Replace(s)
}

func (o davObject) object() destination.Object {
	return destination.Object{ID: o.name, UID: uidOf(o.data), Version: o.version}
}

// Objects implements destination.ObjectStore.
func (a *Account) Objects(ctx context.Context, in destination.Collection) ([]destination.Object, error) {
	if in.Kind == model.KindFiles {
		return a.files(ctx, in.ID)
	}
	d, path, err := a.at(in)
	if err != nil {
		return nil, err
	}
	body := `<?xml version="1.0"?><C:calendar-query ` + nsBoth + `>` + uidOnly(d) + `<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`
	if d.kind == model.KindContacts {
		body = `<?xml version="1.0"?><A:addressbook-query ` + nsBoth + `>` + uidOnly(d) + `</A:addressbook-query>`
	}
	list, _, truncated, err := a.d.dav.query(ctx, "REPORT", "", path, "1", body)
	if err != nil {
		return nil, err
	}
	out := make([]destination.Object, 0, len(list))
	for _, o := range list {
		out = append(out, o.object())
	}
	if truncated {
		return out, &model.Fault{Class: model.ClassItem, Code: destination.CodeTruncated, Err: fmt.Errorf("the server lists only %s of the %s", plural.Count(len(out), "object"), in.Kind),
			Remedy: "raise x:WebDav maxResults at the destination for the time of the migration: `mailhaul check --fix` does it"}
	}
	return out, nil
}

// FindObject implements destination.ObjectStore.
func (a *Account) FindObject(ctx context.Context, in destination.Collection, uid string) (destination.Object, error) {
	none := model.Faultf(model.ClassItem, destination.CodeNotFound, "there is no object with this UID")
	if in.Kind == model.KindFiles {
		list, err := a.files(ctx, in.ID)
		for _, o := range list {
			if o.UID == uid {
				return o, nil
			}
		}
		if err == nil {
			err = none
		}
		return destination.Object{}, err
	}
	d, path, err := a.at(in)
	if err != nil {
		return destination.Object{}, err
	}
	match := escapeXML(uid)
	bodies := []string{`<?xml version="1.0"?><A:addressbook-query ` + nsBoth + `>` + uidOnly(d) +
		`<A:filter><A:prop-filter name="UID"><A:text-match match-type="equals">` + match + `</A:text-match></A:prop-filter></A:filter></A:addressbook-query>`}
	if d.kind == model.KindCalendar {
		bodies = nil
		for _, kind := range calendarKinds {
			bodies = append(bodies, `<?xml version="1.0"?><C:calendar-query `+nsBoth+`>`+uidOnly(d)+`<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="`+kind+
				`"><C:prop-filter name="UID"><C:text-match collation="i;octet">`+match+`</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`)
		}
	}
	for _, body := range bodies {
		list, _, _, err := a.d.dav.query(ctx, "REPORT", "", path, "1", body)
		if err != nil {
			return destination.Object{}, err
		}
		for _, o := range list {
			if uidOf(o.data) == uid {
				return o.object(), nil
			}
		}
	}
	return destination.Object{}, none
}

// multiget asks for some objects by name, 500 at a time: a server gives no
// more than x:WebDav.maxResults.
func (a *Account) multiget(ctx context.Context, in destination.Collection, ids []string, prop string, fn func(davObject) error) error {
	d, path, err := a.at(in)
	if err != nil {
		return err
	}
	root := "C:calendar-multiget"
	if d.kind == model.KindContacts {
		root = "A:addressbook-multiget"
	}
	for _, part := range chunks(ids, 500) {
		var b strings.Builder
		b.WriteString(`<?xml version="1.0"?><` + root + " " + nsBoth + ">" + prop)
		for _, id := range part {
			b.WriteString("<D:href>" + escapeXML(path+id) + "</D:href>")
		}
		b.WriteString("</" + root + ">")
		list, _, _, err := a.d.dav.query(ctx, "REPORT", "", path, "1", b.String())
		if err != nil {
			return err
		}
		for _, o := range list {
			if err := fn(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// ObjectVersions implements destination.ObjectStore.
func (a *Account) ObjectVersions(ctx context.Context, in destination.Collection, ids []string) (map[string]destination.Object, error) {
	if in.Kind == model.KindFiles {
		return a.fileVersions(ctx, ids)
	}
	out := make(map[string]destination.Object, len(ids))
	err := a.multiget(ctx, in, ids, `<D:prop><D:getetag/></D:prop>`, func(o davObject) error {
		if !o.gone && o.version != "" {
			out[o.name] = destination.Object{ID: o.name, Version: o.version}
		}
		return nil
	})
	return out, err
}

// ReadObjects implements destination.ObjectStore.
func (a *Account) ReadObjects(ctx context.Context, in destination.Collection, ids []string, fn func(destination.Object, io.Reader, error) error) error {
	if in.Kind == model.KindFiles {
		return a.readFiles(ctx, ids, fn)
	}
	seen := map[string]bool{}
	err := a.multiget(ctx, in, ids, contentProp(dialects[in.Kind]), func(o davObject) error {
		if o.gone || o.version == "" || seen[o.name] {
			return nil
		}
		seen[o.name] = true
		return fn(o.object(), strings.NewReader(o.data), nil)
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !seen[id] {
			if err := fn(destination.Object{ID: id}, nil, model.Faultf(model.ClassItem, destination.CodeNotFound, "the object is gone at the destination")); err != nil {
				return err
			}
		}
	}
	return nil
}

// each runs fn for all, several at a time, until one returns an error.
func each(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(davPlaces)
	for i := range n {
		g.Go(func() error { return fn(ctx, i) })
	}
	return g.Wait()
}

// CreateObjects implements destination.ObjectStore.
func (a *Account) CreateObjects(ctx context.Context, in destination.Collection, objects []destination.ObjectWrite) ([]destination.ObjectWritten, error) {
	out := make([]destination.ObjectWritten, len(objects))
	if in.Kind == model.KindFiles {
		return out, a.createFiles(ctx, in.ID, objects, out)
	}
	exact, err := a.createBulk(ctx, in, objects, out)
	if err != nil {
		return out, err
	}
	return out, each(ctx, len(exact), func(ctx context.Context, k int) error {
		i := exact[k]
		return a.put(ctx, in, objects[i], &out[i])
	})
}

// put stores one object by DAV. If-None-Match (RFC 9110 §13.1.2) keeps a
// second attempt, or somebody else's object, from being overwritten; If-Match
// does so for a replacement. Nobody is told of it: the server sends invitations
// on PUT only for a login with calendarSchedulingSend.
func (a *Account) put(ctx context.Context, in destination.Collection, w destination.ObjectWrite, out *destination.ObjectWritten) error {
	d, path, err := a.at(in)
	if err != nil {
		return err
	}
	if out.Err = a.d.quiet(d, w.Content); out.Err != nil {
		return nil
	}
	content := w.Content
	if d.kind == model.KindContacts {
		content = carriable(content)
	}
	id := w.ID
	header := []string{"Content-Type", d.mediaType, "Schedule-Reply", "F"}
	if id == "" {
		id = resourceName(d, w.UID)
		header = append(header, "If-None-Match", "*")
	} else {
		header = append(header, "If-Match", `"`+w.Version+`"`)
	}
	answer, err := a.d.dav.do(ctx, davRequest{method: http.MethodPut, path: path + id, body: content, header: header})
	if err != nil {
		if out.Err = a.broken(ctx, in, id, w.Version, err); out.Err != nil && a.mayBlame() {
			return nil
		}
		out.Err = nil
		return err
	}
	switch {
	case answer.status/100 == 2:
		a.vain.Store(0)
		out.Object = destination.Object{ID: id, UID: w.UID, Version: answer.version()}
		if out.Version != "" {
			return nil
		}
		// Unchanged content is answered without an entity tag.
		have, err := a.ObjectVersions(ctx, in, []string{id})
		if err != nil {
			return err
		}
		out.Version = have[id].Version
	case answer.status == http.StatusPreconditionFailed && answer.condition() == "" && w.ID == "":
		out.Err = model.Faultf(model.ClassItem, destination.CodeExists, "an object with this UID is there already")
	case answer.status == http.StatusPreconditionFailed && answer.condition() == "":
		out.Err = a.replaced(ctx, in, id)
	default:
		err := objectFault(answer, "PUT")
		if model.ClassOf(err) != model.ClassItem {
			return err
		}
		if model.CodeOf(err) == destination.CodeBreaks && !a.mayBlame() {
			return &model.Fault{Class: model.ClassAccount, Code: "http400", Err: err}
		}
		out.Err = err
	}
	return nil
}

// unproven is how many objects in a row may be blamed for a request that fails
// without a reason, while nothing is stored.
const unproven = 3

// mayBlame reports that an object may be at fault, and not the server, or what
// stands before it: that would fail at all of them. Who asked finds out by sending
// less.
func (a *Account) mayBlame() bool { return a.vain.Add(1) <= unproven }

// broken blames an object for a request that failed as often as it was sent,
// if the server answers everything else meanwhile and has it in the version it was
// before; empty: not at all.
func (a *Account) broken(ctx context.Context, in destination.Collection, id, version string, err error) error {
	if model.CodeOf(err) != model.CodeUnreachable && model.CodeOf(err) != "busy" || ctx.Err() != nil {
		return nil
	}
	have, verr := a.ObjectVersions(ctx, in, []string{id})
	if verr != nil || have[id].Version != version {
		return nil
	}
	return &model.Fault{Class: model.ClassItem, Code: destination.CodeBreaks, Err: fmt.Errorf("the server breaks off whenever it is sent: %w", err)}
}

// replaced tells whether an object that is not in the version expected was
// changed or is gone.
func (a *Account) replaced(ctx context.Context, in destination.Collection, id string) error {
	have, err := a.ObjectVersions(ctx, in, []string{id})
	if err != nil {
		return err
	}
	if _, ok := have[id]; !ok {
		return model.Faultf(model.ClassItem, destination.CodeNotFound, "the object is gone at the destination")
	}
	return model.Faultf(model.ClassItem, destination.CodeChanged, "the object was changed at the destination")
}

// quiet refuses to write a meeting with a login that would send invitations
// for it (crates/dav/src/calendar/update.rs: itip_create).
func (d *Destination) quiet(to dialect, content []byte) error {
	if to.kind != model.KindCalendar || !d.scheduling || !meeting(content) {
		return nil
	}
	return &model.Fault{Class: model.ClassItem, Code: CodeScheduling, Err: errors.New("written with this login, the meeting would send invitations to people"),
		Remedy: schedulingRemedy + ", then run again with --retry-refused"}
}

const schedulingRemedy = "use a migrator without the permission calendarSchedulingSend (permissions: Merge, disabledPermissions); or, while nobody works on the server yet, `mailhaul check --fix --pause-invitations`"

// CodeScheduling refuses a meeting because of the migrator's permissions.
const CodeScheduling = "scheduling"

// meeting reports whether a calendar object names an organizer or attendees.
// It errs on the side of yes.
func meeting(content []byte) bool {
	upper := bytes.ToUpper(content)
	return bytes.Contains(upper, []byte("\nORGANIZER")) || bytes.Contains(upper, []byte("\nATTENDEE"))
}

// UpdateObjects implements destination.ObjectStore.
func (a *Account) UpdateObjects(ctx context.Context, in destination.Collection, objects []destination.ObjectWrite) ([]destination.ObjectWritten, error) {
	out := make([]destination.ObjectWritten, len(objects))
	if in.Kind == model.KindFiles {
		return out, a.updateFiles(ctx, objects, out)
	}
	return out, each(ctx, len(objects), func(ctx context.Context, i int) error { return a.put(ctx, in, objects[i], &out[i]) })
}

// MoveObject implements destination.ObjectStore.
func (a *Account) MoveObject(ctx context.Context, from, to destination.Collection, id string) (destination.Object, error) {
	if from.Kind == model.KindFiles {
		return a.moveFile(ctx, to.ID, id)
	}
	_, source, err := a.at(from)
	if err != nil {
		return destination.Object{}, err
	}
	_, target, err := a.at(to)
	if err != nil {
		return destination.Object{}, err
	}
	answer, err := a.d.dav.do(ctx, davRequest{method: "MOVE", path: source + id, header: []string{"Destination", a.d.dav.base.Scheme + "://" + a.d.dav.base.Host + target + id, "Overwrite", "F", "Schedule-Reply", "F"}})
	if err != nil {
		return destination.Object{}, err
	}
	switch {
	case answer.status/100 == 2, answer.status == http.StatusNotFound && answer.again:
	case answer.status == http.StatusPreconditionFailed:
		return destination.Object{}, model.Faultf(model.ClassItem, destination.CodeExists, "an object with this UID is there already")
	default:
		return destination.Object{}, objectFault(answer, "MOVE")
	}
	have, err := a.ObjectVersions(ctx, to, []string{id})
	if err != nil {
		return destination.Object{}, err
	}
	o, ok := have[id]
	if !ok {
		return o, model.Faultf(model.ClassItem, destination.CodeNotFound, "the object is gone at the destination")
	}
	return o, nil
}

// DeleteObjects implements destination.ObjectStore.
func (a *Account) DeleteObjects(ctx context.Context, in destination.Collection, objects []destination.Object) ([]error, error) {
	if in.Kind == model.KindFiles {
		return a.deleteFiles(ctx, objects)
	}
	_, path, err := a.at(in)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	out := make([]error, len(objects))
	return out, each(ctx, len(objects), func(ctx context.Context, i int) error {
		o := objects[i]
		answer, err := a.d.dav.do(ctx, davRequest{method: http.MethodDelete, path: path + o.ID, header: []string{"If-Match", `"` + o.Version + `"`, "Schedule-Reply", "F"}})
		if err != nil {
			return err
		}
		switch {
		case answer.status/100 == 2, answer.status == http.StatusNotFound:
			return nil
		case answer.status == http.StatusPreconditionFailed:
			err = a.replaced(ctx, in, o.ID)
		default:
			err = objectFault(answer, "DELETE")
		}
		if model.CodeOf(err) == destination.CodeNotFound {
			return nil
		}
		if model.ClassOf(err) != model.ClassItem {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		out[i] = err
		return nil
	})
}
