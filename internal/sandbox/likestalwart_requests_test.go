package sandbox_test

import (
	"encoding/json"
	"strings"
)

// played is a request. Without a method it is one of JMAP, its calls in body.
type played struct {
	login, method, path, body string
	header                    []string
	cut                       bool // the server may cut the connection: only that is compared
	limited                   bool // only whether there is more than the answer tells is compared
}

func jmapCalls(login string, calls ...string) played {
	return played{login: login, body: strings.Join(calls, ",")}
}

const (
	calHome  = "/dav/cal/anna%40lab.test/"
	cardHome = "/dav/card/anna%40lab.test/"
	fileHome = "/dav/file/anna%40lab.test/"
	nsAll    = `xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav"`
)

func findProps(login, path, depth, props string) played {
	return played{login: login, method: "PROPFIND", path: path, header: []string{"Depth", depth, "Content-Type", "application/xml"},
		body: `<D:propfind ` + nsAll + `><D:prop>` + props + `</D:prop></D:propfind>`}
}

func makeCalendar(name, inner string) played {
	return played{login: "anna", method: "MKCALENDAR", path: calHome + name + "/", header: []string{"Content-Type", "application/xml"},
		body: `<C:mkcalendar ` + nsAll + `><D:set><D:prop><D:displayname>` + name + `</D:displayname>` + inner + `</D:prop></D:set></C:mkcalendar>`}
}

func report(path, body string) played {
	return played{login: "migrator", method: "REPORT", path: path, header: []string{"Depth", "1", "Content-Type", "application/xml"}, body: body}
}

// limited is a report of which it only matters whether it is cut off: what is left
// out then is nobody's promise.
func limited(path, body string) played {
	p := report(path, body)
	p.limited = true
	return p
}

func put(path, body string, header ...string) played {
	media := "text/calendar; charset=utf-8"
	if strings.HasPrefix(path, cardHome) {
		media = "text/vcard; charset=utf-8"
	}
	return played{login: "migrator", method: "PUT", path: path, body: body, header: append([]string{"Content-Type", media}, header...)}
}

func sent(method, path string, header ...string) played {
	return played{login: "migrator", method: method, path: path, header: header}
}

func event(uid string, lines ...string) string {
	return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20270101T100000Z\r\nDTEND:20270101T110000Z\r\nSUMMARY:Hello\r\n" + strings.Join(append(lines, ""), "\r\n") + "END:VEVENT\r\n"
}

func calendar(inner string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n" + inner + "END:VCALENDAR\r\n"
}

func card(uid string, lines ...string) string {
	return "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" + uid + "\r\nFN:Ada\r\n" + strings.Join(append(lines, ""), "\r\n") + "END:VCARD\r\n"
}

// parse has the server read a text. What it makes of it is a matter of its own.
func parse(text string) played {
	raw, _ := json.Marshal(text)
	p := jmapCalls("migrator", `["Blob/upload",{"accountId":"{anna}","create":{"b":{"data":[{"data:asText":`+string(raw)+`}]}}},"0"]`,
		`["CalendarEvent/parse",{"accountId":"{anna}","blobIds":["#b"]},"1"]`)
	p.cut = true
	return p
}

const uidsOnly = `<D:prop><D:getetag/><C:calendar-data><C:comp name="VCALENDAR"><C:comp name="VEVENT"><C:prop name="UID"/></C:comp></C:comp></C:calendar-data></D:prop>`

var likeStalwart = []played{
	// Calendars: what an account begins with, and what is made and described.
	jmapCalls("anna", `["Calendar/get",{"accountId":"{anna}","ids":null},"0"]`, `["AddressBook/get",{"accountId":"{anna}","ids":null},"1"]`),
	findProps("anna", calHome, "1", `<D:displayname/><C:supported-calendar-component-set/>`),
	makeCalendar("one", `<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>`),
	makeCalendar("one", ""),
	makeCalendar("two", ""),
	{login: "anna", method: "PROPPATCH", path: calHome + "one/", header: []string{"Content-Type", "application/xml"},
		body: `<D:propertyupdate ` + nsAll + ` xmlns:I="http://apple.com/ns/ical/"><D:set><D:prop><D:displayname>one</D:displayname><I:calendar-color>#ff0000</I:calendar-color></D:prop></D:set></D:propertyupdate>`},
	findProps("anna", calHome, "1", `<D:displayname/><C:supported-calendar-component-set/>`),
	findProps("anna", calHome+"one/", "0", `<D:displayname/><D:sync-token/><D:resourcetype/><I:nothing xmlns:I="http://apple.com/ns/ical/"/><I:calendar-color xmlns:I="http://apple.com/ns/ical/"/>`),
	findProps("anna", calHome+"none/", "0", `<D:displayname/>`),
	jmapCalls("anna", `["Calendar/get",{"accountId":"{anna}","ids":null,"properties":["id","name","isDefault","isSubscribed","color","includeInAvailability","shareWith","myRights"]},"0"]`),
	jmapCalls("anna", `["Calendar/set",{"accountId":"{anna}","update":{"c":{"name":"Work","description":null,"sortOrder":3,"isSubscribed":true,"color":"#ff0000","timeZone":"Europe/Vienna","includeInAvailability":"none"},"zz":{"name":"x"}}},"0"]`,
		`["Calendar/get",{"accountId":"{anna}","ids":["c","b"]},"1"]`,
		`["Calendar/set",{"accountId":"{anna}","update":{"c":{"timeZone":"Nowhere/X"}}},"2"]`, `["Calendar/set",{"accountId":"{anna}","update":{"c":{"foo":1}}},"3"]`, `["Calendar/set",{"accountId":"{anna}","update":{"c":{"name":""}}},"4"]`),
	// The migrator's words are the migrator's own.
	jmapCalls("migrator", `["Calendar/set",{"accountId":"{anna}","update":{"d":{"name":"Mine"}}},"0"]`, `["Calendar/get",{"accountId":"{anna}","ids":["d"],"properties":["name"]},"1"]`),
	jmapCalls("anna", `["Calendar/get",{"accountId":"{anna}","ids":["d"],"properties":["name"]},"0"]`),

	// Objects, one by one.
	put(calHome+"one/a.ics", calendar(event("a")), "If-None-Match", "*"),
	put(calHome+"one/a.ics", calendar(event("a")), "If-None-Match", "*"),
	put(calHome+"one/a.ics", calendar(event("a"))),
	put(calHome+"one/a.ics", calendar(event("a", "COMMENT:x")), "If-Match", `"1"`),
	put(calHome+"one/a.ics", calendar(event("other"))),
	put(calHome+"one/b.ics", calendar(event("a")), "If-None-Match", "*"),
	put(calHome+"two/b.ics", calendar(event("a")), "If-None-Match", "*"),
	put(calHome+"none/b.ics", calendar(event("a"))),
	put(calHome+"one/", calendar(event("a"))),
	put(calHome+"one/c.ics", "rubbish"),
	put(calHome+"one/c.ics", calendar("")),
	put(calHome+"one/c.ics", strings.Replace(calendar(event("d")), "UID:d\r\n", "", 1)),
	put(calHome+"one/c.ics", calendar(event("e")+event("f"))),
	put(calHome+"one/gone.ics", calendar(event("gone")), "If-Match", `"1"`),
	put(calHome+"one/big.ics", calendar(event("big", "COMMENT:"+strings.Repeat("x", 600_000)))),
	put(calHome+"one/journal.ics", calendar("BEGIN:VJOURNAL\r\nUID:journal\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Diary\r\nEND:VJOURNAL\r\n")),
	sent("GET", calHome+"one/a.ics"),
	sent("GET", calHome+"one/none.ics"),
	sent("GET", calHome+"one/"),

	// Reports.
	report(calHome+"one/", `<C:calendar-query `+nsAll+`>`+uidsOnly+`<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`),
	report(calHome+"none/", `<C:calendar-query `+nsAll+`>`+uidsOnly+`<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`),
	report(calHome+"one/", `<C:calendar-query `+nsAll+`>`+uidsOnly+`<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID"><C:text-match collation="i;octet">a</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`),
	report(calHome+"one/", `<C:calendar-query `+nsAll+`>`+uidsOnly+`<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"><C:prop-filter name="UID"><C:text-match collation="i;octet">a</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`),
	report(calHome+"one/", `<C:calendar-multiget `+nsAll+`><D:prop><D:getetag/><C:calendar-data/></D:prop><D:href>`+calHome+`one/a.ics</D:href><D:href>`+calHome+`one/none.ics</D:href></C:calendar-multiget>`),
	report(calHome+"none/", `<C:calendar-multiget `+nsAll+`><D:prop><D:getetag/></D:prop><D:href>`+calHome+`none/a.ics</D:href></C:calendar-multiget>`),
	report(calHome+"two/", `<D:sync-collection `+nsAll+`><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:getetag/><C:calendar-data/></D:prop></D:sync-collection>`),
	report(calHome+"one/", `<D:sync-collection `+nsAll+`><D:sync-token>urn:stalwart:davsync:1</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>`),

	// Moved and deleted.
	sent("MOVE", calHome+"one/a.ics", "Destination", "{url}"+calHome+"two/a.ics", "Overwrite", "F"),
	sent("MOVE", calHome+"one/a.ics", "Destination", "{url}"+calHome+"none/a.ics", "Overwrite", "F"),
	sent("MOVE", calHome+"one/a.ics", "Destination", "{url}"+calHome+"default/a.ics", "Overwrite", "F"),
	sent("MOVE", calHome+"one/a.ics", "Destination", "{url}"+calHome+"default/a.ics", "Overwrite", "F"),
	report(calHome+"one/", `<D:sync-collection `+nsAll+`><D:sync-token>urn:stalwart:davsync:1</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>`),
	sent("DELETE", calHome+"default/a.ics", "If-Match", `"1"`),
	jmapCalls("migrator", `["Calendar/set",{"accountId":"{anna}","destroy":["b","zz"]},"0"]`),
	sent("DELETE", calHome+"default/a.ics"),
	sent("DELETE", calHome+"default/a.ics"),

	// In JMAP's form.
	jmapCalls("migrator", `["CalendarEvent/set",{"accountId":"{anna}","sendSchedulingMessages":false,"create":{
		"0":{"calendarIds":{"b":true},"@type":"Event","uid":"e1","title":"T, t","start":"2027-01-01T10:00:00","timeZone":"Europe/Berlin"},
		"1":{"calendarIds":{"b":true},"@type":"Event","uid":"e1","title":"Twice in a call","start":"2027-01-01T10:00:00"},
		"2":{"calendarIds":{"b":true},"@type":"Event","uid":"a","title":"There in another","start":"2027-01-01T10:00:00"},
		"3":{"calendarIds":{"zz":true},"@type":"Event","uid":"e3","start":"2027-01-01T10:00:00"},
		"4":{"calendarIds":{"b":true},"@type":"Event","uid":"e4","method":"publish","start":"2027-01-01T10:00:00"},
		"5":{"@type":"Event","uid":"e5","start":"2027-01-01T10:00:00"},
		"6":{"calendarIds":{"b":true},"@type":"Task","uid":"e6","title":"To do","start":"2027-01-01T10:00:00","timeZone":"Etc/UTC","privacy":"private","showWithoutTime":true}}},"0"]`),
	report(calHome+"default/", `<C:calendar-query `+nsAll+`>`+uidsOnly+`<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`),
	parse(calendar(event("p1"))),
	parse(calendar("BEGIN:VJOURNAL\r\nUID:journal\r\nSUMMARY:Diary\r\nEND:VJOURNAL\r\n")),
	parse(calendar("")),
	parse("rubbish"),
	jmapCalls("migrator", `["CalendarEvent/parse",{"accountId":"{anna}","blobIds":["a","b","c","d","e","f","g","h","i","j","k"]},"0"]`),

	// Cards.
	{login: "anna", method: "MKCOL", path: cardHome + "one/", header: []string{"Content-Type", "application/xml"},
		body: `<D:mkcol ` + nsAll + `><D:set><D:prop><D:resourcetype><D:collection/><A:addressbook/></D:resourcetype><D:displayname>one</D:displayname></D:prop></D:set></D:mkcol>`},
	findProps("anna", cardHome, "1", `<D:displayname/><C:supported-calendar-component-set/>`),
	put(cardHome+"one/a.vcf", card(`a b\,c`, "N:Ada;;;;"), "If-None-Match", "*"),
	put(cardHome+"one/b.vcf", card(`a b\,c`), "If-None-Match", "*"),
	put(cardHome+"default/b.vcf", card(`a b\,c`), "If-None-Match", "*"),
	put(cardHome+"one/c.vcf", "BEGIN:VCARD\r\nrubbish\r\nEND:VCARD\r\n"),
	put(cardHome+"one/c.vcf", strings.TrimSuffix(card("open", "NOTE:x"), "END:VCARD\r\n")),
	put(cardHome+"one/none.vcf", strings.Replace(card("x"), "UID:x\r\n", "", 1)),
	put(cardHome+"one/key.vcf", card("key", "KEY;ENCODING=b;TYPE=PGP:LS0tLS1CRUdJTg==", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ")),
	report(cardHome+"one/", `<A:addressbook-query `+nsAll+`><D:prop><D:getetag/><A:address-data><A:prop name="UID"/></A:address-data></D:prop></A:addressbook-query>`),
	report(cardHome+"one/", `<A:addressbook-query `+nsAll+`><D:prop><D:getetag/></D:prop><A:filter><A:prop-filter name="UID"><A:text-match match-type="equals">a b,c</A:text-match></A:prop-filter></A:filter></A:addressbook-query>`),
	report(cardHome+"one/", `<A:addressbook-multiget `+nsAll+`><D:prop><D:getetag/><A:address-data/></D:prop><D:href>`+cardHome+`one/a.vcf</D:href><D:href>`+cardHome+`one/key.vcf</D:href></A:addressbook-multiget>`),
	jmapCalls("migrator", `["ContactCard/set",{"accountId":"{anna}","create":{
		"0":{"addressBookIds":{"b":true},"@type":"Card","version":"1.0","uid":"k,1","name":{"full":"Ada, Q"},"vCard":{"properties":[["version",{},"unknown","3.0"],["n",{},"unknown",["Ada","Q","","",""]],["tz",{},"unknown","+01:00"],
			["note",{"x-by":["\"Ada\"","x;y"],"x-nl":["a\nb^c"]},"unknown","A\nnote, with;"],["photo",{},"uri","data:image/jpeg;base64,/9j/4AA="],["email",{"type":["HOME","WORK"],"group":"item1"},"unknown","a@b.c"],
			["bday",{},"unknown","18151210"],["x-foo",{},"unknown","a, b; c\nd"],["url",{},"unknown","http://x/,y;z"],["x-v",{},"uri","http://x/,y;z"],["categories",{},"unknown",["a,b","c"]],["rev",{},"unknown","20260101T100000Z"],["org",{},"unknown",["A, B","C"]]],
			"convertedProperties":{"name/full":{"parameters":{"language":["de"],"group":"item9"}},"uid":{"parameters":{"x-kept":["yes"]}}}}},
		"1":{"addressBookIds":{"b":true},"@type":"Card","version":"1.0","uid":"k1","name":{"full":"Once"}},
		"2":{"addressBookIds":{"b":true},"@type":"Card","version":"1.0","uid":"k1","name":{"full":"Twice in a call"}},
		"3":{"addressBookIds":{"zz":true},"@type":"Card","uid":"k3","name":{"full":"x"}},
		"4":{"@type":"Card","uid":"q","name":{"full":"x"}},
		"5":{"addressBookIds":{"b":true},"@type":"Card","uid":"q5","name":{"full":"x"},"bogus":1},
		"6":{"addressBookIds":{"b":true},"@type":"Card","uid":"a b,c","name":{"full":"There already"}}}},"0"]`),
	report(cardHome+"default/", `<A:addressbook-query `+nsAll+`><D:prop><A:address-data/></D:prop></A:addressbook-query>`),

	// Shared.
	jmapCalls("migrator", `["Calendar/set",{"accountId":"{anna}","update":{"c":{"shareWith/{ben}":{"mayReadItems":true,"mayReadFreeBusy":true}}}},"0"]`, `["Calendar/get",{"accountId":"{anna}","ids":["c"],"properties":["id","shareWith","myRights"]},"1"]`),
	jmapCalls("ben", `["Calendar/get",{"accountId":"{anna}","ids":["b","c"],"properties":["id","shareWith","myRights"]},"0"]`, `["AddressBook/get",{"accountId":"{anna}","ids":["b"],"properties":["id"]},"1"]`,
		`["FileNode/get",{"accountId":"{anna}","ids":["b"],"properties":["id"]},"2"]`, `["Calendar/set",{"accountId":"{anna}","create":{"x":{"name":"X"}}},"3"]`, `["Calendar/set",{"accountId":"{anna}","update":{"c":{"name":"X"}}},"4"]`),
	jmapCalls("migrator", `["Calendar/set",{"accountId":"{anna}","update":{"c":{"shareWith/{ben}":null}}},"0"]`, `["Calendar/get",{"accountId":"{anna}","ids":["c"],"properties":["shareWith"]},"1"]`),

	// Files.
	jmapCalls("migrator", `["Blob/upload",{"accountId":"{anna}","create":{"b0":{"data":[{"data:asText":"hello"}]}}},"0"]`,
		`["FileNode/set",{"accountId":"{anna}","create":{"g":{"name":"a.txt","blobId":"#b0","modified":"2019-01-01T10:00:00Z","type":"text/plain","parentId":"#f"},"f":{"name":"dir%20x","parentId":null}}},"1"]`,
		`["FileNode/set",{"accountId":"{anna}","create":{"i":{"name":"top.txt","blobId":"#b0"}}},"2"]`,
		`["FileNode/set",{"accountId":"{anna}","create":{"h":{"name":"bad/name"},"f":{"name":"dir%20x"},"t":{"name":"top.txt","blobId":"#b0"},"p":{"name":"x","parentId":"zz"}}},"3"]`,
		`["FileNode/query",{"accountId":"{anna}","filter":{"nodeType":"directory"}},"4"]`, `["FileNode/query",{"accountId":"{anna}","filter":{"isTopLevel":true}},"5"]`,
		`["FileNode/get",{"accountId":"{anna}","ids":null,"properties":["id","parentId","nodeType","size","name","type","executable","shareWith","myRights"]},"6"]`),
	sent("GET", fileHome+"dir%20x/a.txt"),
	sent("GET", fileHome+"dir%20x/"),
	sent("GET", fileHome+"none.txt"),
	jmapCalls("migrator", `["FileNode/set",{"accountId":"{anna}","ifInState":"sabc","update":{"b":{"name":"x"}}},"0"]`, `["FileNode/set",{"accountId":"{anna}","destroy":["b","zz"],"onDestroyRemoveChildren":false},"1"]`,
		`["FileNode/set",{"accountId":"{anna}","update":{"b":{"parentId":"b"},"zz":{"name":"x"}}},"2"]`, `["FileNode/set",{"accountId":"{anna}","update":{"b":{"foo":1}}},"3"]`),
	// A folder with what is in it; its children are named beside it, too.
	jmapCalls("migrator", `["FileNode/set",{"accountId":"{anna}","create":{"t1":{"name":"tree"},"t2":{"name":"twig","parentId":"#t1"},"t3":{"name":"leaf","parentId":"#t2"}}},"0"]`,
		`["FileNode/query",{"accountId":"{anna}","filter":{"isTopLevel":true}},"1"]`, `["FileNode/set",{"accountId":"{anna}","update":{"f":{"name":"renamed"}},"destroy":["e","f","e"],"onDestroyRemoveChildren":true},"2"]`,
		`["FileNode/get",{"accountId":"{anna}","ids":null,"properties":["id","name"]},"3"]`),

	// More than an answer may hold.
	jmapCalls("admin", `["x:WebDav/set",{"update":{"singleton":{"maxResults":3}}},"0"]`),
	{login: "admin", body: `["x:Action/set",{"create":{"r":{"@type":"ReloadSettings"}}},"0"]`, cut: true},
	put(calHome+"two/l1.ics", calendar(event("l1"))),
	put(calHome+"two/l2.ics", calendar(event("l2"))),
	limited(calHome+"two/", `<C:calendar-query `+nsAll+`>`+uidsOnly+`<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`),
	put(calHome+"two/l3.ics", calendar(event("l3"))),
	limited(calHome+"two/", `<C:calendar-query `+nsAll+`>`+uidsOnly+`<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`),
	limited(calHome+"two/", `<D:sync-collection `+nsAll+`><D:sync-token>urn:stalwart:davsync:1</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>`),
	limited(calHome+"two/", `<D:sync-collection `+nsAll+`><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>`),
	limited(calHome+"one/", `<C:calendar-query `+nsAll+`>`+uidsOnly+`<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`),
	limited(calHome+"two/", `<C:calendar-multiget `+nsAll+`><D:prop><D:getetag/></D:prop><D:href>`+calHome+`two/l1.ics</D:href><D:href>`+calHome+`two/l2.ics</D:href><D:href>`+calHome+`two/l3.ics</D:href><D:href>`+calHome+`two/b.ics</D:href></C:calendar-multiget>`),
}
