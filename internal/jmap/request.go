package jmap

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"

	"mailhaul.org/mailhaul/internal/model"
)

// Ref is a result reference (RFC 8620 §3.7), given as the value of an
// argument whose name begins with "#".
type Ref struct {
	ResultOf string `json:"resultOf"`
	Name     string `json:"name"`
	Path     string `json:"path"`
}

// Request is a list of method calls that the server runs in order. It is not
// safe for concurrent use.
type Request struct {
	// Once marks a request that must not run twice. It is repeated only when
	// the server certainly did nothing with it.
	Once  bool
	using []string
	calls []call
	err   error
}

type call struct {
	name string
	args json.RawMessage
}

// NewRequest begins a request that uses these capabilities besides core.
func NewRequest(using ...string) *Request {
	return &Request{using: append([]string{CapCore}, using...)}
}

// Use adds capabilities that the request uses.
func (r *Request) Use(capabilities ...string) { r.using = append(r.using, capabilities...) }

// Call adds a method call and returns its id for Ref and Response.Decode.
// args is anything that encoding/json encodes as an object; a
// json.RawMessage is sent as it is.
func (r *Request) Call(name string, args any) string {
	raw, ok := args.(json.RawMessage)
	if !ok {
		var err error
		if raw, err = Marshal(args); err != nil && r.err == nil {
			r.err = fmt.Errorf("%s: %w", name, err)
		}
	}
	r.calls = append(r.calls, call{name, raw})
	return strconv.Itoa(len(r.calls) - 1)
}

// Ref points into the result of an earlier call of the request.
func (r *Request) Ref(id, path string) Ref {
	i, err := strconv.Atoi(id)
	if err != nil || i < 0 || i >= len(r.calls) {
		return Ref{}
	}
	return Ref{ResultOf: id, Name: r.calls[i].name, Path: path}
}

// Raw marks arguments that are JSON already; they are sent unchecked.
func Raw(b []byte) json.RawMessage { return b }

// Calls returns the number of calls so far.
func (r *Request) Calls() int { return len(r.calls) }

// encode writes the request by hand: its arguments are valid JSON already and
// may be megabytes that encoding/json would read, and a buffer copy, once more.
func (r *Request) encode() (pieces, error) {
	if r.err != nil {
		return nil, r.err
	}
	using, err := Marshal(slices.Compact(slices.Sorted(slices.Values(r.using))))
	if err != nil {
		return nil, err
	}
	next := fmt.Appendf(nil, `{"using":%s,"methodCalls":[`, using)
	var p pieces
	for i, c := range r.calls {
		p = append(p, fmt.Appendf(next, `[%q,`, c.name), c.args)
		next = fmt.Appendf(nil, `,"%d"],`, i)
	}
	if len(r.calls) > 0 {
		next = next[:len(next)-1]
	}
	return append(p, append(next, `]}`...)), nil
}

// pieces are a body that is sent in order.
type pieces [][]byte

func (p pieces) size() (n int64) {
	for _, b := range p {
		n += int64(len(b))
	}
	return n
}

func (p pieces) open() (io.ReadCloser, error) {
	readers := make([]io.Reader, len(p))
	for i, b := range p {
		readers[i] = bytes.NewReader(b)
	}
	return io.NopCloser(io.MultiReader(readers...)), nil
}

// Marshal is json.Marshal without HTML escapes: some servers read ids and
// dates as raw text and refuse an escape inside them.
func Marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// Response holds the results of a request's calls.
type Response struct {
	results map[string]result
	calls   []call
	// SessionState changes when the session object does.
	SessionState string
}

type result struct {
	name string
	args json.RawMessage
}

// Decode decodes the result of a call into v. A call that failed gives a
// *MethodError.
func (r *Response) Decode(id string, v any) error {
	i, err := strconv.Atoi(id)
	if err != nil || i < 0 || i >= len(r.calls) {
		return fmt.Errorf("the request has no call %q", id)
	}
	res, ok := r.results[id]
	if !ok {
		return &MethodError{Type: "serverFail", Description: "the server gave no result", Method: r.calls[i].name}
	}
	if res.name == "error" {
		e := &MethodError{Method: r.calls[i].name}
		if err := json.Unmarshal(res.args, e); err != nil {
			e.Type = "serverFail"
		}
		return e
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(res.args, v); err != nil {
		return fmt.Errorf("%s: the result is not what was expected: %w", r.calls[i].name, err)
	}
	return nil
}

// Do sends a request and returns its results. Results that failed with
// serverUnavailable (RFC 8620 §3.6.2) make it repeat the request, unless it
// is to run Once. Errors: see Dial; "tooLarge" of ClassItem for a request
// beyond a limit of the session; ErrAmbiguous.
func (c *Client) Do(ctx context.Context, r *Request) (*Response, error) {
	body, err := r.encode()
	if err != nil {
		return nil, err
	}
	core := c.session.Core
	if core.MaxCallsInRequest > 0 && len(r.calls) > core.MaxCallsInRequest {
		return nil, model.Faultf(model.ClassItem, "tooLarge", "a request of %d calls is beyond the server's limit of %d", len(r.calls), core.MaxCallsInRequest)
	}
	if size := body.size(); core.MaxSizeRequest > 0 && size > core.MaxSizeRequest {
		return nil, model.Faultf(model.ClassItem, "tooLarge", "a request of %d octets is beyond the server's limit of %d", size, core.MaxSizeRequest)
	}
	for n := 1; ; n++ {
		resp, err := c.send(ctx, body, r)
		if err != nil || r.Once || n >= 3 || !resp.unavailable() {
			return resp, err
		}
		if err := c.retry.Sleep(ctx, c.retry.pause(n, 0)); err != nil {
			return nil, err
		}
	}
}

func (c *Client) send(ctx context.Context, body pieces, r *Request) (*Response, error) {
	out := &Response{calls: r.calls}
	err := c.perform(ctx, attempt{
		method: http.MethodPost, url: c.session.APIURL, contentType: "application/json",
		size:       body.size(),
		body:       body.open,
		idempotent: !r.Once,
		read:       func(h *http.Response) error { return out.read(h) },
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (r *Response) read(h *http.Response) error {
	var raw bytes.Buffer
	if n := h.ContentLength; n > 0 {
		raw.Grow(int(min(n, 8<<20)) + bytes.MinRead)
	}
	if _, err := raw.ReadFrom(h.Body); err != nil {
		return &badAnswer{err}
	}
	var answer struct {
		MethodResponses [][]json.RawMessage `json:"methodResponses"`
		SessionState    string              `json:"sessionState"`
	}
	if err := json.Unmarshal(raw.Bytes(), &answer); err != nil {
		return &badAnswer{err}
	}
	if answer.MethodResponses == nil {
		return &badAnswer{errors.New("there are no methodResponses")}
	}
	r.SessionState = answer.SessionState
	r.results = make(map[string]result, len(answer.MethodResponses))
	for _, parts := range answer.MethodResponses {
		var name, id string
		if len(parts) != 3 || json.Unmarshal(parts[0], &name) != nil || json.Unmarshal(parts[2], &id) != nil {
			return &badAnswer{errors.New("a method response is not [name, arguments, id]")}
		}
		// A call may have several responses; the first one is its own.
		if _, ok := r.results[id]; !ok {
			r.results[id] = result{name, parts[1]}
		}
	}
	return nil
}

// unavailable reports whether a call failed for a passing reason.
func (r *Response) unavailable() bool {
	for i := range r.calls {
		var e *MethodError
		if errors.As(r.Decode(strconv.Itoa(i), nil), &e) && e.Type == "serverUnavailable" {
			return true
		}
	}
	return false
}
