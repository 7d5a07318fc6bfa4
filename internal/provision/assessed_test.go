package provision_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/report"
	"mailhaul.org/mailhaul/internal/source/memory"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// assessed examines the organisation before anything is made: what becomes of
// every password is counted as the provisioning will find it.
func (s *mailSystem) assessed(org model.Organisation) {
	s.t.Helper()
	d, err := stalwart.Dial(s.t.Context(), stalwart.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword})
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	src := memory.New()
	var accounts []model.Account
	for _, a := range org.Accounts {
		src.AddAccount(a)
		accounts = append(accounts, a)
	}
	a, err := assess.Run(s.t.Context(), assess.Options{Source: src, Destination: d, Limits: d.Limits(),
		Organisation: func(context.Context, map[string]int64) (model.Organisation, error) { return org, nil }}, accounts)
	if err != nil {
		s.t.Fatal(err)
	}
	want, sum := map[destination.PasswordFate]int{}, 0
	for _, acc := range org.Accounts {
		_, fate, _ := stalwart.PasswordFor(acc.Password)
		want[fate]++
	}
	for fate, n := range a.Total.Passwords {
		sum += n
		if want[fate] != n {
			s.t.Errorf("%d passwords are %s, want %d", n, fate, want[fate])
		}
	}
	if sum != len(s.directory.People) || a.Failed() > 0 {
		s.t.Errorf("%d passwords of %d people, %d accounts could not be examined", sum, len(s.directory.People), a.Failed())
	}
	resets := want[destination.PasswordReset]
	if !slices.ContainsFunc(a.Decisions, func(x assess.Decision) bool {
		return strings.Contains(x.Question, fmt.Sprintf("%d people need a new password", resets))
	}) {
		s.t.Errorf("nobody asks about the %d passwords to set anew: %+v", resets, a.Decisions)
	}
	var page bytes.Buffer
	if err := report.AssessHTML(&page, a); err != nil || !strings.Contains(page.String(), fmt.Sprintf("%d lists", len(org.Lists))) {
		s.t.Errorf("the page does not tell of %d lists: %v", len(org.Lists), err)
	}
}
