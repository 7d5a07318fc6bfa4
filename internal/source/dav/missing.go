package dav

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// codeNotFound: the server lists an object that it does not find.
const codeNotFound = "notFound"

// missing are objects for which the server answered that they are not there.
// Either they vanished since they were listed, or their address is broken: then
// they are still listed, and nobody may take them for deleted.
type missing struct {
	refs []model.ObjectRef
	errs []error
}

// tell asks what is listed by now, and says of each which of both it is.
func (m *missing) tell(ctx context.Context, st *Store, c model.ObjectCollection, fn handler) error {
	if len(m.refs) == 0 {
		return nil
	}
	listed, err := st.listedNow(ctx, c)
	if err != nil && statusOf(err) == 0 && !errors.Is(err, errXML) {
		return err
	}
	for i, ref := range m.refs {
		gone := m.errs[i]
		// Where the server does not tell, nothing is taken for deleted.
		if err == nil && listed[ref.ID] || err != nil && statusOf(err) != http.StatusNotFound && statusOf(err) != http.StatusGone {
			gone = &model.Fault{Class: model.ClassItem, Code: codeNotFound, Account: st.acc.Login, Collection: strings.Join(c.Path, "/"), Item: lastSegment(ref.ID),
				Err: errors.New("the server lists it, and answers that it is not there"), Remedy: "open it at the source, and save it under a plain name"}
		}
		if err := fn(ref, nil, gone); err != nil {
			return err
		}
	}
	return nil
}

// listedNow are the IDs of what a collection lists.
func (st *Store) listedNow(ctx context.Context, c model.ObjectCollection) (map[string]bool, error) {
	u, err := st.objectURL(c, c.ID)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	_, _, err = st.c.multistatus(ctx, request{method: "PROPFIND", url: u, depth: "1", long: true, body: propfind(dav("getetag"))}, func(base *url.URL, r *response) error {
		if r.href != "" && r.status != http.StatusNotFound && r.status != http.StatusGone {
			out[st.id(c, resolveHref(base, r.href, st.src.trusts))] = true
		}
		return nil
	})
	return out, err
}

// holding has objects that are not found wait in m.
func (m *missing) holding(fn handler) handler {
	return func(ref model.ObjectRef, content *source.Content, err error) error {
		if model.CodeOf(err) == model.CodeGone {
			m.refs, m.errs = append(m.refs, ref), append(m.errs, err)
			return nil
		}
		return fn(ref, content, err)
	}
}
