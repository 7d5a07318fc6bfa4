package jmap

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// ErrAmbiguous is in the chain of the error of a request that may or may not
// have taken effect, because its answer was lost.
var ErrAmbiguous = errors.New("the server may or may not have done what was asked")

// CodeAmbiguous is the Code of the Fault around ErrAmbiguous.
const CodeAmbiguous = "ambiguous"

// MethodError is the error of one method call (RFC 8620 §3.6.2).
type MethodError struct {
	Type        string `json:"type"`
	Description string `json:"description"`
	Method      string `json:"-"`
}

func (e *MethodError) Error() string {
	s := e.Method + ": " + e.Type
	if e.Description != "" {
		s += ": " + e.Description
	}
	return s
}

// SetError refuses one object of a call (RFC 8620 §5.3).
type SetError struct {
	Type        string   `json:"type"`
	Description string   `json:"description"`
	Properties  []string `json:"properties"`
	ExistingID  string   `json:"existingId"`
}

func (e *SetError) Error() string {
	s := e.Type
	if len(e.Properties) > 0 {
		s += " " + strings.Join(e.Properties, ", ")
	}
	if e.Description != "" {
		s += ": " + e.Description
	}
	return s
}

// RequestError refuses a whole HTTP request (RFC 8620 §3.6.1).
type RequestError struct {
	Status int
	// Type is the problem type's last part, as "limit" or "notRequest".
	Type string
	// Limit names the limit of the session that was exceeded.
	Limit string
	// Detail is the server's explanation; empty for "notRequest", whose
	// detail may hold the request's text.
	Detail     string
	RetryAfter time.Duration
}

func (e *RequestError) Error() string {
	s := fmt.Sprintf("HTTP %d", e.Status)
	for _, p := range []string{e.Type, e.Limit, e.Detail} {
		if p != "" {
			s += ", " + p
		}
	}
	return s
}

// temporary reports whether the same request can succeed later.
func (e *RequestError) temporary() bool {
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return e.Type == "limit" && (e.Limit == "maxConcurrentRequests" || e.Limit == "maxConcurrentUpload")
}

// refused reports whether the server certainly did nothing.
func (e *RequestError) refused() bool {
	return e.Status >= 400 && e.Status < 500
}

// fault gives the error its class.
func (e *RequestError) fault() error {
	f := &model.Fault{Class: model.ClassAccount, Code: e.Type, Err: e}
	switch {
	case e.Status == http.StatusUnauthorized:
		return authFault(e)
	case e.Status == http.StatusPaymentRequired:
		f := authFault(e)
		f.Remedy = "the login wants a one-time code: use an account without two-factor authentication"
		return f
	case e.Status == http.StatusForbidden:
		f.Class, f.Code, f.Remedy = model.ClassFatal, "forbidden", "the login lacks a permission: run `mailhaul check`"
	case e.Status == http.StatusNotFound:
		f.Code = "notFound"
	case e.temporary():
		f.Class, f.Code, f.RetryAfter = model.ClassRetry, "busy", e.RetryAfter
		if e.Status >= 500 {
			f.Code = "serverUnavailable" // a proxy says so, too, when the server behind it fell over
		}
	case e.Type == "limit", e.Status == http.StatusRequestEntityTooLarge:
		f.Class, f.Code = model.ClassItem, "tooLarge"
	case e.Status >= 500:
		f.Class, f.Code = model.ClassRetry, "serverFail"
	case f.Code == "":
		f.Code = "http" + strconv.Itoa(e.Status)
	}
	return f
}

func authFault(err error) *model.Fault {
	return &model.Fault{Class: model.ClassFatal, Code: model.CodeAuth, Err: fmt.Errorf("the server refused the login: %w", err),
		Remedy: "check user and password of the destination"}
}

// badAnswer is an answer that arrived damaged or is not what was asked for.
type badAnswer struct{ err error }

func (e *badAnswer) Error() string { return "the answer cannot be read: " + e.err.Error() }
func (e *badAnswer) Unwrap() error { return e.err }

// requestError reads the problem details (RFC 7807) of an answer.
func requestError(r *http.Response, now time.Time) *RequestError {
	e := &RequestError{Status: r.StatusCode, RetryAfter: retryAfter(r.Header.Get("Retry-After"), now)}
	body, _ := io.ReadAll(io.LimitReader(r.Body, 16<<10))
	var p struct {
		Type, Detail, Title, Limit string
	}
	if json.Unmarshal(body, &p) != nil {
		return e
	}
	if t, ok := strings.CutPrefix(p.Type, "urn:ietf:params:jmap:error:"); ok {
		e.Type = t
	}
	e.Limit = p.Limit
	if e.Type != "notRequest" && e.Type != "notJSON" {
		e.Detail = p.Detail
	}
	return e
}

// retryAfter parses the header (RFC 9110 §10.2.3): seconds or a date.
func retryAfter(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if n, err := strconv.ParseInt(v, 10, 32); err == nil && n >= 0 {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

var errTooLong = errors.New("the server's answer is longer than expected")
