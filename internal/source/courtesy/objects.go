package courtesy

import (
	"context"
	"iter"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// askedObjects is how many objects are asked for at once: as many as a DAV
// server is asked for in one request.
const askedObjects = 100

// objects are read within the bounds that hold for mail.
type objects struct {
	source.Objects
	*Courtesy
}

// Objects are those of src, asked for and read within the bounds.
func (c *Courtesy) Objects(src source.Objects) source.Objects {
	if c == nil {
		return src
	}
	return objects{src, c}
}

// ObjectCollections implements source.Objects. How long it takes says nothing of the
// server's health: it is as many requests as there are folders.
func (o objects) ObjectCollections(ctx context.Context) ([]model.ObjectCollection, []error, error) {
	if err := o.Ask(ctx); err != nil {
		return nil, nil, err
	}
	return o.Objects.ObjectCollections(ctx)
}

// ObjectChanges implements source.Objects.
func (o objects) ObjectChanges(ctx context.Context, in model.ObjectCollection, since string) iter.Seq2[model.ObjectChange, error] {
	return func(yield func(model.ObjectChange, error) bool) {
		answered, err := o.Asking(ctx)
		if err != nil {
			yield(model.ObjectChange{}, err)
			return
		}
		for ch, err := range o.Objects.ObjectChanges(ctx, in, since) {
			answered()
			if !yield(ch, err) {
				return
			}
		}
	}
}

// ReadObjects implements source.Objects.
func (o objects) ReadObjects(ctx context.Context, in model.ObjectCollection, refs []model.ObjectRef, fn func(model.ObjectRef, *source.Content, error) error) error {
	for len(refs) > 0 {
		n := min(askedObjects, len(refs))
		answered, err := o.Asking(ctx)
		if err != nil {
			return err
		}
		err = o.Objects.ReadObjects(ctx, in, refs[:n], func(ref model.ObjectRef, content *source.Content, err error) error {
			answered()
			return fn(ref, o.Pace(ctx, content), err)
		})
		if err != nil {
			return err
		}
		refs = refs[n:]
	}
	return nil
}
