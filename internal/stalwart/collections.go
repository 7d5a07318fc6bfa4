package stalwart

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// jmapCollection is a Calendar or an AddressBook.
type jmapCollection struct {
	ID, Name                     string
	Description, Color, TimeZone *string
	SortOrder                    int
	IsSubscribed, IsDefault      bool
	IncludeInAvailability        string
}

// ObjectCollections implements destination.ObjectStore. Names and colours are
// the owner's own, so it asks as the owner.
func (a *Account) ObjectCollections(ctx context.Context, kind model.Kind) ([]destination.ObjectCollection, error) {
	if kind == model.KindFiles {
		return a.folders(ctx)
	}
	d := dialects[kind]
	list, err := a.jmapCollections(ctx, d)
	if err != nil {
		return nil, err
	}
	at, err := a.davCollections(ctx, d)
	if err != nil {
		return nil, err
	}
	var out []destination.ObjectCollection
	for _, c := range list {
		segment, components := "", []string(nil)
		for _, o := range at {
			if o.displayName == c.Name {
				if segment != "" {
					segment = "" // two of one name: which is which, nobody tells
					break
				}
				segment, components = o.name, o.components
			}
		}
		o := destination.ObjectCollection{Collection: destination.Collection{Kind: kind, ID: collectionID(c.ID, segment)}, Name: c.Name,
			Order: c.SortOrder, Subscribed: c.IsSubscribed, Default: c.IsDefault, Components: components, Transparent: c.IncludeInAvailability == "none"}
		for from, to := range map[*string]*string{c.Description: &o.Description, c.Color: &o.Color, c.TimeZone: &o.TimeZone} {
			if from != nil {
				*to = *from
			}
		}
		out = append(out, o)
	}
	return out, nil
}

func (a *Account) jmapCollections(ctx context.Context, d dialect) ([]jmapCollection, error) {
	var got struct{ List []jmapCollection }
	// Not all of them are among those that the server gives unasked.
	properties := []string{"id", "name", "description", "sortOrder", "isSubscribed", "isDefault"}
	if d.kind == model.KindCalendar {
		properties = append(properties, "color", "timeZone", "includeInAvailability")
	}
	err := call(ctx, a.owner(), d.capability, d.container+"/get", args{"accountId": a.id, "ids": nil, "properties": properties}, &got)
	return got.List, a.asOwner(err)
}

// asOwner explains a refused login.
func (a *Account) asOwner(err error) error {
	if err == nil || !denied(err) {
		return err
	}
	return &model.Fault{Class: model.ClassAccount, Code: "owner", Account: a.address, Err: fmt.Errorf("log in as the owner: %w", err),
		Remedy: "give the account the permission authenticate and the migrator impersonate: names and colours of calendars and address books are kept per login"}
}

// davOwner is who a DAV request acts for; the migrator's own account is its own.
func (a *Account) davOwner() string {
	if a.d.session.PrimaryAccounts[capMail] == a.id {
		return ""
	}
	return a.address
}

func (a *Account) davCollections(ctx context.Context, d dialect) ([]davObject, error) {
	list, _, _, err := a.d.dav.query(ctx, "PROPFIND", a.davOwner(), a.home(d), "1",
		`<?xml version="1.0"?><D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:displayname/><C:supported-calendar-component-set/><C:max-resource-size/><max-resource-size xmlns="urn:ietf:params:xml:ns:carddav"/></D:prop></D:propfind>`)
	if err != nil {
		return nil, err
	}
	for _, o := range list {
		if o.maxSize > 0 { // settings are shown to few logins, this to all
			a.largest(d.kind).Store(o.maxSize)
		}
	}
	home := lastSegment(a.home(d))
	return slices.DeleteFunc(list, func(o davObject) bool {
		return o.name == home || strings.Contains(o.name, "%40") || strings.Contains(o.name, "@")
	}), nil
}

// PutObjectCollection implements destination.ObjectStore. A calendar is made
// by DAV, at a path that the key determines; its JMAP id is found by giving it
// a name that only it has for a moment.
func (a *Account) PutObjectCollection(ctx context.Context, c destination.ObjectCollection, key string) (string, error) {
	a.boxes.Lock()
	defer a.boxes.Unlock()
	if c.Kind == model.KindFiles {
		return a.putFolder(ctx, c)
	}
	d := dialects[c.Kind]
	if c.ID == "" {
		id, err := a.makeCollection(ctx, d, c, resourceName(dialect{}, key))
		if err != nil {
			return "", err
		}
		c.ID = id
	}
	return c.ID, a.describe(ctx, d, c)
}

func (a *Account) makeCollection(ctx context.Context, d dialect, c destination.ObjectCollection, segment string) (string, error) {
	path := a.home(d) + segment + "/"
	props := "<D:displayname>" + segment + "</D:displayname>"
	body := `<?xml version="1.0"?><D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:set><D:prop><D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>` + props + `</D:prop></D:set></D:mkcol>`
	if d.kind == model.KindCalendar {
		if len(c.Components) > 0 {
			props += "<C:supported-calendar-component-set>"
			for _, name := range c.Components {
				props += `<C:comp name="` + escapeXML(strings.ToUpper(name)) + `"/>`
			}
			props += "</C:supported-calendar-component-set>"
		}
		body = `<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>` + props + `</D:prop></D:set></C:mkcalendar>`
	}
	xmlType := []string{"Content-Type", "application/xml; charset=utf-8"}
	answer, err := a.d.dav.do(ctx, davRequest{method: d.make, path: path, owner: a.davOwner(), body: []byte(body), header: xmlType})
	if err != nil {
		return "", err
	}
	if answer.status != http.StatusCreated && answer.status != http.StatusMethodNotAllowed {
		return "", collectionRefused(c.Name, fmt.Errorf("%s: HTTP %d %s", d.make, answer.status, answer.condition()))
	}
	// One that an earlier run made has the name that it gave it.
	answer, err = a.d.dav.do(ctx, davRequest{method: "PROPPATCH", path: path, owner: a.davOwner(), header: xmlType,
		body: []byte(`<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:displayname>` + segment + `</D:displayname></D:prop></D:set></D:propertyupdate>`)})
	if err != nil {
		return "", err
	}
	list, err := a.jmapCollections(ctx, d)
	if err != nil {
		return "", err
	}
	for _, have := range list {
		if have.Name == segment {
			return collectionID(have.ID, segment), nil
		}
	}
	return "", collectionRefused(c.Name, fmt.Errorf("it was made, but is not listed (HTTP %d)", answer.status))
}

func collectionRefused(name string, err error) error {
	return &model.Fault{Class: model.ClassItem, Code: "collection", Collection: name, Err: err}
}

// describe writes what the owner sees of a collection.
func (a *Account) describe(ctx context.Context, d dialect, c destination.ObjectCollection) error {
	id, segment := splitID(c.ID)
	set := args{"name": c.Name, "description": nilIfEmpty(c.Description), "sortOrder": max(c.Order, 0), "isSubscribed": c.Subscribed}
	if d.kind == model.KindCalendar {
		// JMAP's colour is a CSS one (RFC 9553 §1.4.9 has no alpha channel).
		set["color"] = nilIfEmpty(c.Color[:min(len(c.Color), 7)])
		set["timeZone"] = nilIfEmpty(c.TimeZone)
		set["includeInAvailability"] = "all"
		if c.Transparent {
			set["includeInAvailability"] = "none"
		}
	}
	request := args{"accountId": a.id, "update": args{id: set}}
	if c.Default {
		request["onSuccessSetIsDefault"] = id
	}
	var got setAnswer
	err := call(ctx, a.owner(), d.capability, d.container+"/set", request, &got)
	if err != nil {
		return a.asOwner(err)
	}
	if bad := got.NotUpdated[id]; bad != nil {
		return collectionRefused(c.Name, bad)
	}
	if d.kind != model.KindCalendar || c.Color == "" || segment == "" {
		return nil
	}
	// The colour that CalDAV clients show is a property of its own.
	answer, err := a.d.dav.do(ctx, davRequest{method: "PROPPATCH", path: a.home(d) + segment + "/", owner: a.davOwner(), header: []string{"Content-Type", "application/xml; charset=utf-8"},
		body: []byte(`<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:" xmlns:A="http://apple.com/ns/ical/"><D:set><D:prop><A:calendar-color>` + escapeXML(c.Color) + `</A:calendar-color></D:prop></D:set></D:propertyupdate>`)})
	if err == nil && answer.status != http.StatusMultiStatus {
		err = collectionRefused(c.Name, fmt.Errorf("PROPPATCH: HTTP %d %s", answer.status, answer.condition()))
	}
	return err
}

// DeleteObjectCollection implements destination.ObjectStore.
func (a *Account) DeleteObjectCollection(ctx context.Context, kind model.Kind, id string) error {
	a.boxes.Lock()
	defer a.boxes.Unlock()
	if kind == model.KindFiles {
		return a.deleteFolder(ctx, id)
	}
	list, err := a.Objects(ctx, destination.Collection{Kind: kind, ID: id})
	switch {
	case model.CodeOf(err) == destination.CodeNotFound:
		return nil
	case model.CodeOf(err) == destination.CodeTruncated || err == nil && len(list) > 0:
		return &model.Fault{Class: model.ClassItem, Code: destination.CodeNotEmpty, Err: errors.New("it holds something still")}
	case err != nil:
		return err
	}
	d := dialects[kind]
	one, _ := splitID(id)
	return destroyOne(ctx, a.d.client, d.capability, d.container, one, args{"accountId": a.id}, notEmpty)
}

// notEmpty is why a collection is kept that was to be destroyed without what it holds.
func notEmpty(bad *jmap.SetError) error {
	return &model.Fault{Class: model.ClassItem, Code: destination.CodeNotEmpty, Err: bad}
}
