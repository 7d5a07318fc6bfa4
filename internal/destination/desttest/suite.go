package desttest

import (
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// Env is one running, empty server. Its Destination must be a Provisioner
// and a Checker, too, logged in as an administrator.
type Env struct {
	Destination destination.Destination
	// Login opens the server as another login. The password of the accounts
	// that the suite makes is Password.
	Login func(t *testing.T, user, password string) destination.Destination
	// Domain is where the suite makes accounts; it need not exist.
	Domain string
}

// Password is that of all accounts that the suite makes.
const Password = "Correct-Horse-7391"

// passwordHash is Password by SHA512-CRYPT.
const passwordHash = "{SHA512-CRYPT}$6$desttestsalt$T17LoCPYtaxPPvZaUBOU4tbO7Nvi2EoX5dv8nXPNfuUp2otNHz7yqbTI7ueVaDUl1ZwC/rtv9t8XePZQOEV1D0"

// Run exercises everything that package destination promises, on one server
// with an account for each test.
func Run(t *testing.T, open func(t *testing.T) Env) {
	env := open(t)
	if env.Domain == "" {
		env.Domain = "suite.test"
	}
	s := &suite{Env: env}
	s.provision(t, model.Account{Login: "first", Address: "first@" + env.Domain})
	for _, c := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"Provision", s.testProvision},
		{"ProvisionConflicts", s.testProvisionConflicts},
		{"Organisation", s.testOrganisation},
		{"Contradictions", s.testContradictions},
		{"AliasDomains", s.testAliasDomains},
		{"Adopts", s.testAdopts},
		{"OpenUnknown", s.testOpenUnknown},
		{"OpenAlias", s.testOpenAlias},
		{"Check", s.testCheck},
		{"Limits", s.testLimits},
		{"SystemMailboxes", s.testSystemMailboxes},
		{"MailboxTwice", s.testMailboxTwice},
		{"MailboxRename", s.testMailboxRename},
		{"MailboxDelete", s.testMailboxDelete},
		{"MailboxNames", s.testMailboxNames},
		{"ManyMailboxes", s.testManyMailboxes},
		{"Subscriptions", s.testSubscriptions},
		{"Bytes", s.testBytes},
		{"BigMessage", s.testBigMessage},
		{"WrongHash", s.testWrongHash},
		{"DatesAndKeywords", s.testDatesAndKeywords},
		{"ImportOrder", s.testImportOrder},
		{"ImportRefusals", s.testImportRefusals},
		{"Exchange", s.testExchange},
		{"ExchangeApart", s.testExchangeApart},
		{"Duplicates", s.testDuplicates},
		{"Threads", s.testThreads},
		{"Outlines", s.testOutlines},
		{"Changes", s.testChanges},
		{"ListMany", s.testListMany},
		{"Update", s.testUpdate},
		{"Destroy", s.testDestroy},
		{"Scripts", s.testScripts},
		{"BadScripts", s.testBadScripts},
		{"DiskQuota", s.testDiskQuota},
		{"Sharing", s.testSharing},
		{"Groups", s.testGroups},
		{"Objects", s.testObjects},
		{"UploadQuota", s.testUploadQuota},
		{"WrongPassword", s.testWrongPassword},
	} {
		t.Run(c.name, c.run)
	}
}

type suite struct{ Env }

// provision plans and applies, and returns the plan.
func (s *suite) provision(t *testing.T, accounts ...model.Account) []destination.Action {
	t.Helper()
	p := s.Destination.(destination.Provisioner)
	plan, err := p.Plan(t.Context(), accounts)
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	for _, a := range plan {
		if a.Verb == destination.VerbConflict {
			continue
		}
		if err := p.Apply(t.Context(), a); err != nil {
			t.Fatalf("Apply %s %s: %v", a.Verb, a.Subject, err)
		}
	}
	return plan
}

// account makes an account and opens it.
func (s *suite) account(t *testing.T, name string) destination.Account {
	t.Helper()
	address := name + "@" + s.Domain
	s.provision(t, model.Account{Login: name, Address: address, Password: passwordHash})
	return s.open(t, s.Destination, address)
}

func (s *suite) open(t *testing.T, d destination.Destination, address string) destination.Account {
	t.Helper()
	a, err := d.Open(t.Context(), address)
	if err != nil {
		t.Fatalf("Open %s: %v", address, err)
	}
	return a
}

// box finds a mailbox by role or makes one by name.
func box(t *testing.T, a destination.Account, role model.Role, name string) string {
	t.Helper()
	if role == model.RoleNone {
		id, err := a.CreateMailbox(t.Context(), destination.Mailbox{Name: name})
		if err != nil {
			t.Fatalf("CreateMailbox %q: %v", name, err)
		}
		return id
	}
	for _, m := range mailboxes(t, a) {
		if m.Role == role {
			return m.ID
		}
	}
	t.Fatalf("there is no mailbox with the role %s", role)
	return ""
}

func mailboxes(t *testing.T, a destination.Account) []destination.Mailbox {
	t.Helper()
	list, err := a.Mailboxes(t.Context())
	if err != nil {
		t.Fatalf("Mailboxes: %v", err)
	}
	return list
}

func find(list []destination.Mailbox, id string) *destination.Mailbox {
	for i := range list {
		if list[i].ID == id {
			return &list[i]
		}
	}
	return nil
}

// wantFault checks class and code of an error.
func wantFault(t *testing.T, what string, err error, class model.Class, code string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want code %s", what, code)
	} else if model.ClassOf(err) != class || code != "" && model.CodeOf(err) != code {
		t.Errorf("%s: class %d, code %q (%v), want class %d, code %q", what, model.ClassOf(err), model.CodeOf(err), err, class, code)
	}
}
