package engine

import (
	"context"
	"iter"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// askedObjects is how many objects are asked for at once: as many as a DAV
// server is asked for in one request.
const askedObjects = 100

// courteous are objects of the source, read within the bounds that hold for
// its mail.
type courteous struct {
	source.Objects
	*run
}

// ObjectCollections implements source.Objects. How long it takes says nothing of the
// server's health: it is as many requests as there are folders.
func (c courteous) ObjectCollections(ctx context.Context) ([]model.ObjectCollection, []error, error) {
	if err := c.courtesy.ask(ctx); err != nil {
		return nil, nil, err
	}
	return c.Objects.ObjectCollections(ctx)
}

// ObjectChanges implements source.Objects.
func (c courteous) ObjectChanges(ctx context.Context, in model.ObjectCollection, since string) iter.Seq2[model.ObjectChange, error] {
	return func(yield func(model.ObjectChange, error) bool) {
		answered, err := c.asking(ctx)
		if err != nil {
			yield(model.ObjectChange{}, err)
			return
		}
		for ch, err := range c.Objects.ObjectChanges(ctx, in, since) {
			answered()
			if !yield(ch, err) {
				return
			}
		}
	}
}

// ReadObjects implements source.Objects.
func (c courteous) ReadObjects(ctx context.Context, in model.ObjectCollection, objects []model.ObjectRef, fn func(model.ObjectRef, *source.Content, error) error) error {
	for len(objects) > 0 {
		n := min(askedObjects, len(objects))
		answered, err := c.asking(ctx)
		if err != nil {
			return err
		}
		err = c.Objects.ReadObjects(ctx, in, objects[:n], func(ref model.ObjectRef, content *source.Content, err error) error {
			answered()
			if content != nil && !content.Paced {
				paced := *content
				paced.Reader, paced.Whole, paced.Paced = c.Throttle.Reader(ctx, content.Reader), nil, true
				content = &paced
			}
			return fn(ref, content, err)
		})
		if err != nil {
			return err
		}
		objects = objects[n:]
	}
	return nil
}
