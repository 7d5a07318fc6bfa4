package engine

import (
	"bytes"
	"context"
	"io"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/translate"
)

// repair puts a header field before a message that the destination does not
// accept as one.
func (r *run) repair(ctx context.Context, e *entry) error {
	old := e.body
	defer old.drop()
	rd := io.NopCloser(bytes.NewReader(old.Bytes))
	if old.Open != nil {
		var err error
		if rd, err = old.Open(); err != nil {
			return model.SpoolFault(err)
		}
	}
	defer rd.Close()
	start := make([]byte, min(old.Size, 4096))
	n, err := io.ReadFull(rd, start)
	if err != nil {
		return model.SpoolFault(err)
	}
	all := io.MultiReader(bytes.NewReader(start[:n]), rd)
	// Paced: the source is not read again.
	e.body, err = r.readBody(ctx, &source.Content{Reader: all, Size: old.Size, Paced: true}, translate.Repair(start[:n], e.item.Received), new(memory))
	e.repair = true
	return err
}
