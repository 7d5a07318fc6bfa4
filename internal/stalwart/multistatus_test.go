package stalwart

import (
	"reflect"
	"strings"
	"testing"
)

func TestMultistatus(t *testing.T) {
	m, err := readMultistatus([]byte(`<?xml version="1.0" encoding="UTF-8"?><!-- a > b --><D:multistatus xmlns:D="DAV:" xmlns:B="urn:ietf:params:xml:ns:carddav">
<D:response><D:href>/dav/card/_1/a%20b/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>
<D:response><D:href>/x/1.vcf</D:href><D:propstat><D:prop><D:getetag>"1"</D:getetag><D:displayname/><B:address-data>BEGIN:VCARD` + "\r\n" + `NOTE:a &lt;b&gt; &amp;amp; &#228;&#xE4; &bad; & <![CDATA[<c> &amp;]]>` + "\x01\r\n" + `</B:address-data>
<A:supported-calendar-component-set xmlns:A="x"><A:comp name="vevent"/><A:comp name='VTODO' /></A:supported-calendar-component-set></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>
<D:propstat><D:prop><D:sync-token/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response><D:sync-token>urn:1</D:sync-token></D:multistatus>` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := &multistatus{syncToken: "urn:1", responses: []davResponse{
		{href: "/dav/card/_1/a%20b/", status: "HTTP/1.1 507 Insufficient Storage"},
		{href: "/x/1.vcf", propstats: []propstat{
			{status: "HTTP/1.1 200 OK", etag: `"1"`, data: "BEGIN:VCARD\nNOTE:a <b> &amp; ää &bad; & <c> &amp;\x01\n", components: []string{"VEVENT", "VTODO"}},
			{status: "HTTP/1.1 404 Not Found"}}}}}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got  %+v\nwant %+v", m, want)
	}
	for _, cut := range []string{`<D:multistatus xmlns:D="DAV:"><D:response>`, `<a><b`, `</a>`, `<a/>text`, `<a><![CDATA[x]></a>`, "no"} {
		if m, err := readMultistatus([]byte(cut)); err == nil {
			t.Errorf("%s is read as %v", cut, m)
		}
	}
}

func FuzzMultistatus(f *testing.F) {
	f.Add([]byte(`<a><response><href>x</href><propstat><prop><getetag>&#1;</getetag></prop></propstat></response></a>`))
	f.Add([]byte("</response><propstat><comp/><status></status>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := readMultistatus(body)
		if err == nil && strings.Count(string(body), "<")+1 < len(m.responses) {
			t.Errorf("%d responses", len(m.responses))
		}
	})
}
