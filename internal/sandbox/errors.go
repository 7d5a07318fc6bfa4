package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// methodError fails one method call (RFC 8620 §3.6.2).
type methodError struct {
	kind        string
	description string
}

func (e *methodError) Error() string { return e.kind + ": " + e.description }

func (e *methodError) object() obj {
	o := obj{"type": e.kind}
	if e.description != "" {
		o["description"] = e.description
	}
	return o
}

var (
	errRequestTooLarge = &methodError{"requestTooLarge", "The number of ids requested by the client exceeds the maximum number the server is willing to process in a single method call."}
	errStateMismatch   = &methodError{"stateMismatch", "An \"ifInState\" argument was supplied, but it does not match the current state."}
	errAnchorNotFound  = &methodError{"anchorNotFound", "An anchor argument was supplied, but it cannot be found in the results of the query."}
	errNoAccount       = &methodError{"accountNotFound", "The accountId does not correspond to a valid account"}
	errCannotCalculate = &methodError{"cannotCalculateChanges", "The server cannot calculate the changes between the old and new states."}
	// errBreaksOff stands for a connection that the server cuts over what it reads.
	errBreaksOff   = &methodError{"", "the connection is cut"}
	errUnavailable = &methodError{"serverUnavailable", "This server is temporarily unavailable. Attempting this same operation later may succeed."}
)

func invalidArguments(format string, args ...any) *methodError {
	return &methodError{"invalidArguments", fmt.Sprintf(format, args...)}
}

// setError refuses one object of a call (RFC 8620 §5.3).
type setError = obj

func newSetError(kind, description string, properties ...string) setError {
	e := setError{"type": kind}
	if description != "" {
		e["description"] = description
	}
	if len(properties) > 0 {
		list := make([]any, len(properties))
		for i, p := range properties {
			list[i] = p
		}
		e["properties"] = list
	}
	return e
}

func invalidProperty(description string, properties ...string) setError {
	return newSetError("invalidProperties", description, properties...)
}

// httpError is a refusal of a whole request, as problem details (RFC 7807).
type httpError struct {
	status     int
	kind       string // of urn:ietf:params:jmap:error:, or empty for about:blank
	title      string
	detail     string
	limit      string
	retryAfter int64 // seconds; 0 none
	policy     string
}

func (e *httpError) write(w http.ResponseWriter) {
	body := obj{"status": e.status, "detail": e.detail, "type": "about:blank"}
	if e.kind != "" {
		body["type"] = "urn:ietf:params:jmap:error:" + e.kind
	}
	if e.title != "" {
		body["title"] = e.title
	}
	if e.limit != "" {
		body["limit"] = e.limit
	}
	h := w.Header()
	if e.retryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(e.retryAfter, 10))
	}
	if e.policy != "" {
		h.Set("RateLimit-Policy", e.policy)
	}
	if e.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="Stalwart Server", Basic realm="Stalwart Server"`)
	}
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(body)
}

func blank(status int, title, detail string) *httpError {
	return &httpError{status: status, title: title, detail: detail}
}

func errUnauthorized() *httpError {
	return blank(401, "Unauthorized", "You have to authenticate first.")
}

func errForbidden() *httpError {
	return blank(403, "Forbidden", "You do not have enough permissions to access this resource.")
}

func errHTTPNotFound() *httpError {
	return blank(404, "Not Found", "The requested resource does not exist on this server.")
}

func errNotRequest(detail string) *httpError {
	return &httpError{status: 400, kind: "notRequest", detail: detail}
}

// errLimit refuses a request that is beyond the named limit of the session.
func errLimit(limit string) *httpError {
	detail := map[string]string{
		"maxSizeRequest":        "The request is larger than the server is willing to process.",
		"maxSizeUpload":         "The uploaded file is larger than the server is willing to process.",
		"maxCallsInRequest":     "The request exceeds the maximum number of calls in a single request.",
		"maxConcurrentRequests": "The request exceeds the maximum number of concurrent requests.",
		"maxConcurrentUpload":   "The request exceeds the maximum number of concurrent uploads.",
	}[limit]
	return &httpError{status: 400, kind: "limit", limit: limit, detail: detail}
}
