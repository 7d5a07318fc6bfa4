package ldapusers_test

import (
	"testing"

	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/reach/reachtest"
)

// A directory that is being restarted is waited for, whether nothing listens there
// or something accepts for it; one that refuses the password is not.
func TestDirectoryIsRestarted(t *testing.T) {
	t.Parallel()
	d, settings := start(t, lab.SlapdOptions{})
	front := lab.StartProxy(t, d.Addr)
	for _, addr := range []string{d.Addr, front.Addr} {
		d.Stop()
		dial := func(r *reach.Server) error {
			s := settings.Server
			s.URLs, s.Reach = []string{"ldap://" + addr}, r
			c, err := ldapusers.Dial(t.Context(), s)
			if err == nil {
				err = c.Close()
			}
			return err
		}
		reachtest.Missed(t, addr, dial)
		reachtest.Awaited(t, addr, func() { d.Start(t) }, dial)
	}
	s := settings.Server
	s.Password, s.Reach = "wrong", reachtest.Answers(t)
	if _, err := ldapusers.Dial(t.Context(), s); model.CodeOf(err) != model.CodeAuth {
		t.Error(err)
	}
}
