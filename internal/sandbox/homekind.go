package sandbox

// homeKind is what calendars and address books differ in.
type homeKind struct {
	segment     string // of DAV paths: "cal"
	capability  string
	container   string // JMAP's name of a collection
	object      string // and of an object
	holds       string // the property that says where an object is
	displayName string // of the collection that the server makes itself, before the address
	fallback    string // name of a collection that its owner never named; empty: its path
	rights      []string
	log         int
	media       string
	hasObject   string // the error of destroying a collection with objects
	removal     string // the argument that destroys it all the same
	says        string // how errors call a collection
	// global: a UID is there once in all of an account, for JMAP.
	global bool
	// maxSize is the limit of an object, in octets.
	maxSize func(Limits) int64
	dav     davWords
}

// davWords are the names that CalDAV and CardDAV have for the same things.
type davWords struct {
	namespace    string
	prefix       string
	resourceType string
	data         string
	unsupported  string // condition of a text that cannot be read
	multiget     string
	query        string
	permission   string // "davCal"
}

const (
	nsDAV     = "DAV:"
	nsCalDAV  = "urn:ietf:params:xml:ns:caldav"
	nsCardDAV = "urn:ietf:params:xml:ns:carddav"
)

var calendarKind = &homeKind{
	segment: "cal", capability: capCalendars, container: "Calendar", object: "CalendarEvent", holds: "calendarIds",
	displayName: "Stalwart Calendar", log: logCalendar, media: "text/calendar; charset=utf-8",
	rights:    []string{"mayReadFreeBusy", "mayReadItems", "mayWriteAll", "mayWriteOwn", "mayUpdatePrivate", "mayRSVP", "mayShare", "mayDelete"},
	hasObject: "calendarHasEvent", removal: "onDestroyRemoveEvents", says: "calendar", global: true,
	maxSize: func(l Limits) int64 { return l.MaxICalendarSize },
	dav: davWords{namespace: nsCalDAV, prefix: "A", resourceType: "calendar", data: "calendar-data", unsupported: "supported-calendar-data",
		multiget: "calendar-multiget", query: "calendar-query", permission: "davCal"},
}

var bookKind = &homeKind{
	segment: "card", capability: capContacts, container: "AddressBook", object: "ContactCard", holds: "addressBookIds",
	displayName: "Stalwart Address Book", fallback: "Address Book", log: logContacts, media: "text/vcard; charset=utf-8",
	rights:    []string{"mayRead", "mayWrite", "mayDelete", "mayShare"},
	hasObject: "addressBookHasContents", removal: "onDestroyRemoveContents", says: "address book",
	maxSize: func(l Limits) int64 { return l.MaxVCardSize },
	dav: davWords{namespace: nsCardDAV, prefix: "B", resourceType: "addressbook", data: "address-data", unsupported: "supported-address-data",
		multiget: "addressbook-multiget", query: "addressbook-query", permission: "davCard"},
}

var homeKinds = []*homeKind{calendarKind, bookKind}
