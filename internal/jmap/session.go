package jmap

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// CapCore is the capability every request names (RFC 8620 §2).
const CapCore = "urn:ietf:params:jmap:core"

// Session is the session object (RFC 8620 §2) with its URLs rebased on the
// configured server.
type Session struct {
	Capabilities    map[string]json.RawMessage `json:"capabilities"`
	Accounts        map[string]SessionAccount  `json:"accounts"`
	PrimaryAccounts map[string]string          `json:"primaryAccounts"`
	Username        string                     `json:"username"`
	APIURL          string                     `json:"apiUrl"`
	DownloadURL     string                     `json:"downloadUrl"`
	UploadURL       string                     `json:"uploadUrl"`
	EventSourceURL  string                     `json:"eventSourceUrl"`
	State           string                     `json:"state"`

	// Core are the limits of the core capability.
	Core CoreLimits `json:"-"`
}

// SessionAccount is an account that the login may use.
type SessionAccount struct {
	Name                string                     `json:"name"`
	IsPersonal          bool                       `json:"isPersonal"`
	IsReadOnly          bool                       `json:"isReadOnly"`
	AccountCapabilities map[string]json.RawMessage `json:"accountCapabilities"`
}

// CoreLimits bound requests; 0 means not announced.
type CoreLimits struct {
	MaxSizeUpload         int64 `json:"maxSizeUpload"` // octets
	MaxConcurrentUpload   int   `json:"maxConcurrentUpload"`
	MaxSizeRequest        int64 `json:"maxSizeRequest"` // octets
	MaxConcurrentRequests int   `json:"maxConcurrentRequests"`
	MaxCallsInRequest     int   `json:"maxCallsInRequest"`
	MaxObjectsInGet       int   `json:"maxObjectsInGet"`
	MaxObjectsInSet       int   `json:"maxObjectsInSet"`
}

// Has reports whether the server announces a capability.
func (s *Session) Has(capability string) bool {
	_, ok := s.Capabilities[capability]
	return ok
}

// AccountCapability decodes what the session says of a capability for the
// login's primary account; it reports false if it says nothing.
func (s *Session) AccountCapability(capability string, v any) bool {
	raw, ok := s.Accounts[s.PrimaryAccounts[capability]].AccountCapabilities[capability]
	return ok && json.Unmarshal(raw, v) == nil
}

// discover fetches the session from /.well-known/jmap (RFC 8620 §2.2), or
// from the configured URL itself if that has a path.
func (c *Client) discover(ctx context.Context) (*Session, error) {
	at := *c.base
	at.RawQuery, at.Fragment = "", ""
	if strings.Trim(at.Path, "/") == "" {
		at.Path = "/.well-known/jmap"
	}
	for hops := 0; hops < 5; hops++ {
		var next *url.URL
		var s Session
		err := c.perform(ctx, attempt{
			method: http.MethodGet, url: at.String(), idempotent: true, redirects: true,
			read: func(r *http.Response) error {
				if r.StatusCode/100 == 3 {
					loc, err := r.Location()
					if err != nil {
						return &badAnswer{err}
					}
					next = loc
					return nil
				}
				if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
					return &badAnswer{errors.New("the answer is not a JMAP session object")}
				}
				return nil
			},
		})
		if err != nil {
			return nil, err
		}
		if next != nil {
			// Stay on the configured host: the redirect may name the public one.
			next.Scheme, next.Host = c.base.Scheme, c.base.Host
			at = *next
			continue
		}
		return &s, c.adopt(&s)
	}
	return nil, &model.Fault{Class: model.ClassFatal, Code: "notJMAP", Err: errRedirect, Remedy: "check the destination's URL"}
}

// adopt checks a session object and rebases its URLs.
func (c *Client) adopt(s *Session) error {
	raw, ok := s.Capabilities[CapCore]
	if !ok || s.APIURL == "" {
		return &model.Fault{Class: model.ClassFatal, Code: "notJMAP", Err: errors.New(c.base.Host + " answers, but not with a JMAP session object"),
			Remedy: "check the destination's URL"}
	}
	if err := json.Unmarshal(raw, &s.Core); err != nil {
		return &model.Fault{Class: model.ClassFatal, Code: "notJMAP", Err: errors.New(c.base.Host + " announces limits that are not numbers")}
	}
	if len(s.Accounts) == 0 && s.Username == "" {
		return authFault(errors.New("the server answered with an anonymous session"))
	}
	for _, u := range []*string{&s.APIURL, &s.DownloadURL, &s.UploadURL, &s.EventSourceURL} {
		*u = rebase(c.base, *u)
	}
	return nil
}

// rebase puts base's scheme and host into a URL or URL template (RFC 6570,
// level 1), which is why it works on the text.
func rebase(base *url.URL, template string) string {
	rest := template
	if _, after, ok := strings.Cut(template, "://"); ok {
		rest = "/"
		if i := strings.IndexByte(after, '/'); i >= 0 {
			rest = after[i:]
		}
	}
	if !strings.HasPrefix(rest, "/") {
		rest = "/" + rest
	}
	return base.Scheme + "://" + base.Host + rest
}

// expand fills a URL template's variables.
func expand(template string, vars ...string) string {
	for i := 0; i+1 < len(vars); i += 2 {
		template = strings.ReplaceAll(template, "{"+vars[i]+"}", url.PathEscape(vars[i+1]))
	}
	return template
}
