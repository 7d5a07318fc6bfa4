package sandbox

import (
	"sort"
	"time"
)

// account is one user or group, with all that it owns.
type account struct {
	id          uint32
	group       bool
	local       string // lower case
	domain      uint32
	description *string
	secret      string // password hash; empty: none
	aliases     []alias
	memberOf    map[uint32]bool
	props       obj // further registry properties, as they were set
	permissions obj // {"@type": "Inherit"|"Merge"|"Replace", …}
	roles       obj
	quotas      map[string]int64
	created     time.Time

	opened     bool // the system mailboxes exist
	mailboxes  map[uint32]*mailbox
	emails     map[uint32]*email
	order      []uint32 // documents ascending; gaps of destroyed ones are dropped lazily
	listed     listing
	threads    map[uint32]map[uint32]struct{}
	threading  map[threadKey]*threadGroup
	keywords   map[string]int // custom keywords by first use
	nextMail   uint32
	nextBox    uint32
	scripts    map[uint32]*script
	nextScript uint32
	active     uint32 // script
	hasActive  bool
	identities []identity
	vacation   *vacation
	homes      map[*homeKind]*home
	files      files
	used       int64 // octets, against quotas.maxDiskQuota

	change uint64
	logs   [logCount]changeLog
}

type alias struct {
	local   string
	domain  uint32
	enabled bool
	props   obj
}

// Logs of an account. Email and Mailbox changes share one, as on the server,
// the mailboxes being its containers; so do Thread's, and those of calendars and
// events, of address books and cards.
const (
	logEmail = iota
	logThread
	logSieve
	logIdentity
	logCalendar
	logContacts
	logFiles
	logCount
)

func newAccount(id uint32) *account {
	return &account{
		id:        id,
		memberOf:  map[uint32]bool{},
		props:     obj{},
		quotas:    map[string]int64{},
		mailboxes: map[uint32]*mailbox{},
		emails:    map[uint32]*email{},
		threads:   map[uint32]map[uint32]struct{}{},
		threading: map[threadKey]*threadGroup{},
		keywords:  map[string]int{},
		scripts:   map[uint32]*script{},
		homes:     map[*homeKind]*home{},
		files:     files{nodes: map[uint32]*fileNode{}},
	}
}

// nextChange starts a transaction and returns its number.
func (a *account) nextChange() uint64 {
	a.change++
	return a.change
}

// documents returns the emails in order of their document numbers.
func (a *account) documents() []uint32 {
	if len(a.order) > len(a.emails) {
		kept := make([]uint32, 0, len(a.emails))
		for _, doc := range a.order {
			if _, ok := a.emails[doc]; ok {
				kept = append(kept, doc)
			}
		}
		a.order = kept
	}
	return a.order
}

func sortedKeys[V any](m map[uint32]V) []uint32 {
	keys := make([]uint32, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i] < keys[j] })
	return keys
}

// owner returns the account of the call.
func (c *call) owner() (*account, *methodError) {
	a := c.s.accounts[c.account]
	if a == nil {
		return nil, errUnavailable
	}
	return a, nil
}

// mailAccount returns the account of the call with its system mailboxes,
// which the server makes on the first access to mail.
func (c *call) mailAccount() (*account, *methodError) {
	a, fail := c.owner()
	if fail == nil {
		a.open()
	}
	return a, fail
}
