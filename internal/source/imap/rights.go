package imap

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/model"
)

// Rights implements source.Rights by GETACL (RFC 4314 §3.3), sorted by
// identifier. A server without ACL, or one that does not tell this account,
// gives none.
func (st *Store) Rights(ctx context.Context, c model.Collection) (out []model.Grant, err error) {
	if c.Container || c.Native == "" {
		return nil, nil
	}
	err = st.retry(ctx, func() (bool, error) {
		if !st.ses.caps.Has(imap.CapACL) {
			return false, nil
		}
		if st.src.courier.Load() {
			var err error
			out, err = st.courierACL(c.Native)
			return false, err
		}
		acl, err := st.ses.GetACL(c.Native).Wait()
		if no, ok := errors.AsType[*imap.Error](err); ok && no.Type == imap.StatusResponseTypeNo {
			return false, nil // only who may administer the mailbox is told
		}
		if err != nil {
			return false, err
		}
		out = grantsOf(acl)
		return false, nil
	})
	if err != nil {
		return nil, st.fault(c.Native, err)
	}
	return out, nil
}

// grantsOf is a list, sorted by identifier. A leading hyphen takes away.
func grantsOf(acl *imapclient.GetACLData) []model.Grant {
	var out []model.Grant
	for id, rights := range acl.Rights {
		identifier, negative := strings.CutPrefix(string(id), "-")
		out = append(out, model.Grant{Identifier: identifier, Rights: model.ParseRights(rights.String()), Negative: negative})
	}
	slices.SortFunc(out, model.Grant.Compare)
	return out
}

// SpecificRights implements source.SpecificRights: a server that calls itself
// Dovecot (RFC 2971) reads its lists so.
func (st *Store) SpecificRights(ctx context.Context) (specific bool, err error) {
	err = st.retry(ctx, func() (bool, error) {
		if !st.ses.caps.Has(imap.CapID) {
			return false, nil
		}
		who, err := st.ses.ID(nil).Wait()
		specific = err == nil && strings.EqualFold(who.Name, "Dovecot")
		return false, err
	})
	if err != nil {
		return false, st.fault("", err)
	}
	return specific, nil
}
