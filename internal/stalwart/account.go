package stalwart

import (
	"sync"
	"sync/atomic"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
)

// Account is one account on the server.
type Account struct {
	d       *Destination
	id      string
	address string // primary

	// boxes serialises Mailbox/set: the server's check for equal names sees
	// only what is committed, so that two at a time would both be created.
	boxes sync.Mutex
	// unsettled: something was shared with a group. It goes with boxes.
	unsettled bool

	// shares is held while a share of objects is stored: what is read back is all
	// that changed since, and should not be another share.
	shares sync.Mutex

	// maxEvent and maxCard are the most octets of an object that the server told
	// the account; 0: it has not been asked yet.
	maxEvent, maxCard atomic.Int64

	// vain is how many PUTs in a row failed without a reason, with nothing stored
	// between them.
	vain atomic.Int64

	ownerOnce   sync.Once
	ownerClient *jmap.Client
}

var _ destination.Account = (*Account)(nil)

// ID implements destination.Account.
func (a *Account) ID() string { return a.id }

// owner returns a client whose login is the owner's, not the migrator's.
func (a *Account) owner() *jmap.Client {
	a.ownerOnce.Do(func() {
		a.ownerClient = a.d.client
		if a.d.session.PrimaryAccounts[capMail] != a.id {
			a.ownerClient = a.d.client.WithLogin(a.address + "%" + a.d.cfg.User)
		}
	})
	return a.ownerClient
}
