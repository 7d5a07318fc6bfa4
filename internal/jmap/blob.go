package jmap

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
)

// Uploaded is the server's answer to an upload (RFC 8620 §6.1).
type Uploaded struct {
	AccountID string `json:"accountId"`
	BlobID    string `json:"blobId"`
	Type      string `json:"type"`
	Size      int64  `json:"size"`
}

// Upload stores size octets as a temporary blob. open is called for each
// attempt; its errors are returned unchanged. The body is streamed.
func (c *Client) Upload(ctx context.Context, account, contentType string, size int64, open func() (io.ReadCloser, error)) (Uploaded, error) {
	var u Uploaded
	err := c.perform(ctx, attempt{
		method: http.MethodPost, url: expand(c.session.UploadURL, "accountId", account), contentType: contentType,
		size: size, body: open, idempotent: true, upload: true,
		read: func(r *http.Response) error {
			u = Uploaded{}
			if err := json.NewDecoder(r.Body).Decode(&u); err != nil {
				return &badAnswer{err}
			}
			return nil
		},
	})
	return u, err
}

// Download reads a whole blob (RFC 8620 §6.2) of at most limit octets; a
// longer one is an error.
func (c *Client) Download(ctx context.Context, account, blob string, limit int64) ([]byte, error) {
	var data []byte
	u := expand(c.session.DownloadURL, "accountId", account, "blobId", blob, "name", "blob", "type", "application/octet-stream")
	err := c.perform(ctx, attempt{
		method: http.MethodGet, url: u, idempotent: true,
		read: func(r *http.Response) error {
			var err error
			data, err = io.ReadAll(io.LimitReader(r.Body, limit+1))
			if err == nil && int64(len(data)) > limit {
				return &bodyError{errTooLong}
			}
			if err != nil {
				return &badAnswer{err}
			}
			return nil
		},
	})
	return data, err
}

// Read hands a blob to fn as it arrives. fn may be called again, from the
// start, when the connection breaks; its errors count as broken ones.
func (c *Client) Read(ctx context.Context, account, blob string, fn func(io.Reader) error) error {
	u := expand(c.session.DownloadURL, "accountId", account, "blobId", blob, "name", "blob", "type", "application/octet-stream")
	return c.perform(ctx, attempt{
		method: http.MethodGet, url: u, idempotent: true,
		read: func(r *http.Response) error {
			if err := fn(r.Body); err != nil {
				return &badAnswer{err}
			}
			return nil
		},
	})
}
