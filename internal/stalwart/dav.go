package stalwart

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/inflight"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/throttle"
)

// dav speaks WebDAV (RFC 4918), CalDAV (RFC 4791) and CardDAV (RFC 6352) with
// the server, as the migrator or as an owner.
type dav struct {
	http     *http.Client
	base     *url.URL
	user     string
	password string
	places   *inflight.Bound // requests in flight
	attempts int
	pause    func(ctx context.Context, n int, asked time.Duration) error
}

// davPlaces bounds DAV requests in flight. The server takes an account's one
// after the other; more of them only wait there.
const davPlaces = 4

func newDAV(cfg Config) (*dav, error) {
	base, err := url.Parse(strings.TrimSpace(cfg.URL))
	if err != nil {
		return nil, err
	}
	first := cfg.Retry.Min
	if first <= 0 {
		first = 250 * time.Millisecond
	}
	return &dav{
		http: &http.Client{
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: cfg.TLS, MaxIdleConnsPerHost: davPlaces * 2, IdleConnTimeout: 60 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		base: base, user: cfg.User, password: cfg.Password, places: inflight.New(davPlaces), attempts: 6,
		pause: func(ctx context.Context, n int, asked time.Duration) error {
			return throttle.Sleep(ctx, max(min(first<<min(n-1, 8), 15*time.Second), min(asked, 2*time.Minute)))
		},
	}, nil
}

// davRequest is one request. Each of those made here may be sent again.
type davRequest struct {
	method, path string
	owner        string // address to act as; empty: the migrator
	body         []byte
	header       []string // names and values in turn
}

// davAnswer is an answer of any status.
type davAnswer struct {
	status int
	header http.Header
	body   []byte
	// again says that an earlier attempt may have reached the server.
	again bool
}

func (a *davAnswer) version() string {
	return strings.Trim(strings.TrimPrefix(a.header.Get("ETag"), "W/"), `"`)
}

// maxDAVAnswer bounds what an answer may hold.
const maxDAVAnswer = 256 << 20

// do sends a request until the server gives an answer that is not for later.
func (d *dav) do(ctx context.Context, r davRequest) (*davAnswer, error) {
	again := false
	for n := 1; ; n++ {
		a, err := d.once(ctx, r)
		asked := time.Duration(0)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			again = true
			err = &model.Fault{Class: model.ClassRetry, Code: model.CodeUnreachable, Err: fmt.Errorf("%s %s: %w", r.method, d.base.Host, bare(err))}
		case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden && len(a.body) == 0:
			return nil, &model.Fault{Class: model.ClassAccount, Code: "forbidden", Err: fmt.Errorf("%s: HTTP %d", r.method, a.status),
				Remedy: "the migrator needs impersonate and the dav permissions of a user, and the account the permission authenticate: run `mailhaul check`"}
		case a.status == http.StatusTooManyRequests, a.status >= 502 && a.status <= 504, a.status == http.StatusInternalServerError:
			again = again || a.status >= 500
			asked = time.Duration(atoi(a.header.Get("Retry-After"))) * time.Second
			err = &model.Fault{Class: model.ClassRetry, Code: "busy", RetryAfter: asked, Err: fmt.Errorf("%s: HTTP %d", r.method, a.status)}
		case a.status == http.StatusBadRequest && bytes.Contains(a.body, []byte("jmap:error:limit")):
			err = &model.Fault{Class: model.ClassRetry, Code: "busy", Err: errors.New("too many requests at a time")}
		default:
			a.again = again
			return a, nil
		}
		if n >= d.attempts {
			return nil, err
		}
		if perr := d.pause(ctx, n, asked); perr != nil {
			return nil, fmt.Errorf("%w, after: %w", perr, err)
		}
	}
}

// bare strips the URL from an error: a path may name an object.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func (d *dav) once(ctx context.Context, r davRequest) (*davAnswer, error) {
	if err := d.places.Enter(ctx); err != nil {
		return nil, err
	}
	defer d.places.Leave()
	u := *d.base
	u.Path, u.RawPath, u.RawQuery = "", "", ""
	req, err := http.NewRequestWithContext(ctx, r.method, strings.TrimSuffix(u.String(), "/")+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	user := d.user
	if r.owner != "" {
		user = r.owner + "%" + d.user
	}
	req.SetBasicAuth(user, d.password)
	req.Header.Set("User-Agent", "mailhaul")
	for i := 0; i+1 < len(r.header); i += 2 {
		req.Header.Set(r.header[i], r.header[i+1])
	}
	resp, err := d.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer bytes.Buffer
	answer.Grow(int(min(max(resp.ContentLength, 0), 16<<20)) + bytes.MinRead)
	if _, err := answer.ReadFrom(io.LimitReader(resp.Body, maxDAVAnswer)); err != nil {
		return nil, err
	}
	body := answer.Bytes()
	if len(body) == maxDAVAnswer {
		return nil, &net.OpError{Op: "read", Err: errors.New("the answer is longer than expected")}
	}
	return &davAnswer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

func atoi(s string) int {
	n, _ := strconv.Atoi(strings.TrimSpace(s))
	return max(n, 0)
}

// condition is the precondition that an answer says failed (RFC 4918 §16), as
// "no-uid-conflict", with the server's words.
func (a *davAnswer) condition() string {
	var e struct {
		Inner []byte `xml:",innerxml"`
	}
	if xml.Unmarshal(a.body, &e) != nil {
		return ""
	}
	dec := xml.NewDecoder(bytes.NewReader(e.Inner))
	name, text := "", ""
	for {
		tok, err := dec.RawToken()
		if err != nil {
			break
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if name == "" || t.Name.Local == "responsedescription" {
				name = strings.TrimPrefix(name+" "+t.Name.Local, " ")
			}
		case xml.CharData:
			text += strings.TrimSpace(string(t)) + " "
		}
	}
	return strings.TrimSpace(strings.TrimSuffix(name, " responsedescription") + " " + strings.TrimSpace(text))
}

// davObject is what a multistatus tells of one resource.
type davObject struct {
	name, version, displayName, syncToken, data string
	components                                  []string
	maxSize                                     int64
	gone                                        bool
}

// query sends a PROPFIND or REPORT. truncated: there is more than the server
// gives (RFC 6578 §3.6: 507 for the collection itself).
func (d *dav) query(ctx context.Context, method, owner, path, depth, body string) (list []davObject, token string, truncated bool, err error) {
	a, err := d.do(ctx, davRequest{method: method, path: path, owner: owner, body: []byte(body), header: []string{"Depth", depth, "Content-Type", "application/xml; charset=utf-8"}})
	if err != nil {
		return nil, "", false, err
	}
	if a.status == http.StatusNotFound {
		return nil, "", false, model.Faultf(model.ClassItem, destination.CodeNotFound, "%s: there is nothing", method)
	}
	if a.status != http.StatusMultiStatus {
		return nil, "", false, model.Faultf(model.ClassAccount, "dav", "%s: HTTP %d %s", method, a.status, a.condition())
	}
	m, err := readMultistatus(a.body)
	if err != nil {
		return nil, "", false, model.Faultf(model.ClassRetry, "badAnswer", "%s: the answer cannot be read: %w", method, err)
	}
	for _, r := range m.responses {
		if strings.Contains(r.status, " 507 ") {
			truncated = true
			continue
		}
		o := davObject{name: lastSegment(r.href), gone: strings.Contains(r.status, " 404 ")}
		if o.gone && o.name == lastSegment(path) {
			// A query of a collection that is gone is answered so.
			return nil, "", false, model.Faultf(model.ClassItem, destination.CodeNotFound, "%s: the collection is gone", method)
		}
		for _, p := range r.propstats {
			if !strings.Contains(p.status, " 200 ") {
				continue
			}
			o.version = strings.Trim(p.etag, `"`)
			o.displayName, o.syncToken, o.data, o.components, o.maxSize = p.displayName, p.syncToken, p.data, p.components, p.maxSize
		}
		list = append(list, o)
	}
	return list, m.syncToken, truncated, nil
}

// lastSegment is the last name in an href, as the server spells it.
func lastSegment(href string) string {
	href = strings.TrimSuffix(href, "/")
	return href[strings.LastIndexByte(href, '/')+1:]
}

// escapeXML writes text for an element or attribute.
func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// address is the URL of a path.
func (d *dav) address(path string) string { return d.base.Scheme + "://" + d.base.Host + path }
