package imap_test

import (
	"testing"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/reach/reachtest"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/imap"
)

// A ManageSieve that is being restarted is waited for while IMAP answers; without
// patience, it is not.
func TestManageSieveIsRestarted(t *testing.T) {
	t.Parallel()
	s := startDovecot(t, "")
	gone := lab.StartProxy(t, "127.0.0.1:1") // accepts, and finds nobody
	var o imap.Options
	h := newHarness(t, s, func(all *imap.Options) { o = *all })
	o.Sieve = "sieve://" + gone.Addr
	scripts := func(r *reach.Server) error {
		o := o
		o.Server = r
		src, err := imap.New(o)
		if err != nil {
			return err
		}
		st, err := src.Open(t.Context(), h.acc)
		if err != nil {
			return err
		}
		defer st.Close()
		_, err = st.(source.Scripts).Scripts(t.Context())
		return err
	}
	reachtest.Missed(t, gone.Addr, scripts)
	reachtest.Awaited(t, gone.Addr, func() { gone.To(s.Sieve) }, scripts)
}
