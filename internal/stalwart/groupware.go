package stalwart

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

var _ destination.ObjectStore = (*Account)(nil)

// Capabilities of the kinds of objects.
const (
	capCalendars = "urn:ietf:params:jmap:calendars"
	capContacts  = "urn:ietf:params:jmap:contacts"
	capFiles     = "urn:ietf:params:jmap:filenode"
)

// maxObjectDefault is x:Calendar.maxICalendarSize and
// x:AddressBook.maxVCardSize of 0.16.18.
const maxObjectDefault = 512 << 10

// HoldsObjects implements destination.ObjectStore.
func (a *Account) HoldsObjects(kind model.Kind) bool {
	if kind == model.KindFiles {
		return a.d.session.Has(capFiles)
	}
	d, ok := dialects[kind]
	return ok && a.d.session.Has(d.capability)
}

// ObjectLimits implements destination.ObjectStore. Files have no limit of
// their own when they are written by FileNode/set; the upload's holds.
func (a *Account) ObjectLimits(kind model.Kind) destination.ObjectLimits {
	switch kind {
	case model.KindCalendar:
		return destination.ObjectLimits{MaxObject: cmp.Or(a.maxEvent.Load(), a.d.maxCalendar), MaxName: 255, Batch: a.d.setMax(), Raise: "raise x:Calendar maxICalendarSize at the destination"}
	case model.KindContacts:
		return destination.ObjectLimits{MaxObject: cmp.Or(a.maxCard.Load(), a.d.maxCard), MaxName: 255, Batch: a.d.setMax(), Raise: "raise x:AddressBook maxVCardSize at the destination"}
	}
	l := destination.ObjectLimits{MaxName: 255, Batch: 100, MaxObject: 1<<32 - 1}
	if !a.d.permissions["unlimitedUploads"] && a.d.session.Core.MaxSizeUpload > 0 {
		l.MaxObject = a.d.session.Core.MaxSizeUpload
	}
	return l
}

// largest is where the bound of a kind is kept.
func (a *Account) largest(kind model.Kind) *atomic.Int64 {
	if kind == model.KindContacts {
		return &a.maxCard
	}
	return &a.maxEvent
}

// readObjectLimits asks for the limits that no session announces, where the
// login may.
func (d *Destination) readObjectLimits(ctx context.Context) error {
	d.maxCalendar, d.maxCard = maxObjectDefault, maxObjectDefault
	for _, s := range []struct {
		object string
		to     *int64
	}{{"Calendar", &d.maxCalendar}, {"AddressBook", &d.maxCard}} {
		if !d.permissions["sys"+s.object+"Get"] {
			continue
		}
		var v struct{ MaxICalendarSize, MaxVCardSize int64 }
		err := d.singleton(ctx, "x:"+s.object, &v)
		if err == nil && v.MaxICalendarSize+v.MaxVCardSize > 0 {
			*s.to = v.MaxICalendarSize + v.MaxVCardSize
		}
		if passing(ctx, err) {
			return err
		}
	}
	d.scheduling = d.permissions == nil || d.permissions["calendarSchedulingSend"]
	if d.scheduling && d.permissions["sysCalendarSchedulingGet"] {
		var v struct{ Enable *bool }
		err := d.singleton(ctx, "x:CalendarScheduling", &v)
		if err == nil && v.Enable != nil {
			d.scheduling = *v.Enable
		}
		if passing(ctx, err) {
			return err
		}
	}
	return nil
}

// passing reports an error that says nothing about what was asked.
func passing(ctx context.Context, err error) bool {
	return err != nil && model.ClassOf(err) == model.ClassRetry || ctx.Err() != nil
}

// dialect is what differs between calendars and address books.
type dialect struct {
	kind       model.Kind
	root       string // of DAV paths
	capability string
	container  string // JMAP's name of a collection
	object     string // and of an object
	holds      string // the property that says where an object is
	suffix     string // of names of resources
	mediaType  string
	make       string // method that makes a collection
	removal    string // argument that destroys a collection with what it holds
}

var dialects = map[model.Kind]dialect{
	model.KindCalendar: {model.KindCalendar, "/dav/cal/", capCalendars, "Calendar", "CalendarEvent", "calendarIds", ".ics", "text/calendar; charset=utf-8", "MKCALENDAR", "onDestroyRemoveEvents"},
	model.KindContacts: {model.KindContacts, "/dav/card/", capContacts, "AddressBook", "ContactCard", "addressBookIds", ".vcf", "text/vcard; charset=utf-8", "MKCOL", "onDestroyRemoveContents"},
}

// home is the DAV path of the account's collections; the account is named by
// its id as a decimal number.
func (a *Account) home(d dialect) string {
	n, _ := parseID(a.id)
	return d.root + "_" + strconv.FormatUint(n, 10) + "/"
}

// A calendar or book has two names, its JMAP id and the segment of its DAV
// path, and no listing tells both. Its ID here is both of them.

func collectionID(id, segment string) string { return id + "/" + segment }

func splitID(id string) (jmapID, segment string) {
	jmapID, segment, _ = strings.Cut(id, "/")
	return jmapID, segment
}

// at is the DAV path of a collection.
func (a *Account) at(in destination.Collection) (dialect, string, error) {
	d := dialects[in.Kind]
	_, segment := splitID(in.ID)
	if segment == "" {
		return d, "", model.Faultf(model.ClassAccount, "collection", "the %s %q has no DAV path", in.Kind, in.ID)
	}
	return d, a.home(d) + segment + "/", nil
}

// resourceName makes the name of a resource from a UID: always the same, and
// of letters that no client encodes.
func resourceName(d dialect, uid string) string {
	sum := blake3.Sum256([]byte(uid))
	return hex.EncodeToString(sum[:16]) + d.suffix
}

// objectFault gives a refused write its code.
func objectFault(a *davAnswer, what string) error {
	c := a.condition()
	code, remedy := destination.CodeInvalidObject, ""
	switch {
	case strings.HasPrefix(c, "no-uid-conflict"):
		code = destination.CodeExists
	case strings.HasPrefix(c, "max-resource-size"), a.status == 413:
		code, remedy = destination.CodeTooLarge, "raise x:Calendar maxICalendarSize or x:AddressBook maxVCardSize at the destination"
	case strings.HasPrefix(c, "quota-not-exceeded"), a.status == 507:
		return &model.Fault{Class: model.ClassAccount, Code: destination.CodeOverQuota, Err: fmt.Errorf("%s: the account's quota is used up", what),
			Remedy: "raise or lift the account's limit at the destination"}
	case a.status == 404:
		code = destination.CodeNotFound
	case a.status == 409:
		return model.Faultf(model.ClassAccount, destination.CodeNotFound, "%s: the collection is gone at the destination", what)
	}
	if c == "" {
		c = "HTTP " + strconv.Itoa(a.status)
		if a.status == http.StatusBadRequest { // a Stalwart that does not take an object names a condition
			code = destination.CodeBreaks
		}
	}
	return &model.Fault{Class: model.ClassItem, Code: code, Err: fmt.Errorf("the server refuses it: %s", c), Remedy: remedy}
}
