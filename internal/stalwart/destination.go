package stalwart

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// Capabilities that requests name.
const (
	capMail       = "urn:ietf:params:jmap:mail"
	capBlob       = "urn:ietf:params:jmap:blob"
	capSieve      = "urn:ietf:params:jmap:sieve"
	capPrincipals = "urn:ietf:params:jmap:principals"
	capStalwart   = "urn:stalwart:jmap"
)

// Config says where the server is and who the migrator is.
type Config struct {
	URL            string // "https://mail.example.test"
	User, Password string
	TLS            *tls.Config
	// Requests bounds requests in flight; 0 means 16 for a login with
	// unlimitedRequests, else what the server announces.
	Requests int
	Retry    jmap.Retry
	Server   *reach.Server // see jmap.Config
}

// Destination is one Stalwart server.
type Destination struct {
	cfg         Config
	client      *jmap.Client
	session     *jmap.Session
	permissions map[string]bool // nil where the server does not tell
	retention   []model.Finding // what becomes of Trash and Junk, if they are emptied
	limits      destination.Limits
	buffers     buffers
	dav         *dav
	// maxCalendar and maxCard bound calendar objects and cards, in octets.
	maxCalendar, maxCard int64
	// scheduling: what the login writes by CalDAV sends invitations.
	scheduling bool
	// rehearsing is held during a rehearsal.
	rehearsing sync.Mutex

	mu       sync.Mutex
	accounts map[string]*Account // by address
	domains  map[string]string   // IDs by name, as far as addresses were split
	groups   map[string]bool     // what is known of accounts by ID: whether they are groups
}

var (
	_ destination.Destination    = (*Destination)(nil)
	_ destination.Checker        = (*Destination)(nil)
	_ destination.AccountChecker = (*Destination)(nil)
	_ destination.Tuner          = (*Destination)(nil)
	_ destination.Preflighter    = (*Destination)(nil)
	_ destination.Provisioner    = (*Destination)(nil)
)

// Dial logs in. Faults: model.CodeAuth, model.CodeUnreachable, "notJMAP".
func Dial(ctx context.Context, cfg Config) (*Destination, error) {
	c, err := jmap.Dial(ctx, jmap.Config{URL: cfg.URL, User: cfg.User, Password: cfg.Password, TLS: cfg.TLS, Requests: cfg.Requests, Retry: cfg.Retry, Server: cfg.Server})
	if err != nil {
		return nil, err
	}
	d := &Destination{cfg: cfg, client: c, session: c.Session(), accounts: map[string]*Account{}, domains: map[string]string{}, groups: map[string]bool{}}
	if err := d.readPermissions(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	if cfg.Requests == 0 && d.permissions["unlimitedRequests"] {
		d.client = c.WithConcurrency(16, 0)
	}
	d.readLimits()
	if d.dav, err = newDAV(cfg); err == nil {
		err = d.readSettings(ctx)
	}
	if err == nil {
		err = d.readObjectLimits(ctx)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return d, nil
}

// readSettings asks for the limits that no session announces, where the login
// may.
func (d *Destination) readSettings(ctx context.Context) error {
	var mail struct{ MaxMailboxes *int }
	var sharing struct{ MaxShares *int }
	var keeps retention
	for _, ask := range []struct {
		object, permission string
		into               any
		take               func()
	}{
		{"x:Email", "sysEmailGet", &mail, func() { d.limits.MaxMailboxes = value(mail.MaxMailboxes) }},
		{"x:Sharing", "sysSharingGet", &sharing, func() { d.limits.MaxShares = orDefault(value(sharing.MaxShares), d.limits.MaxShares) }},
		{"x:DataRetention", "sysDataRetentionGet", &keeps, func() { d.retention = keeps.findings() }},
	} {
		if !d.permissions[ask.permission] {
			continue
		}
		err := d.singleton(ctx, ask.object, ask.into)
		if err == nil {
			ask.take()
		}
		if model.ClassOf(err) == model.ClassRetry || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// readPermissions asks what the login may do. A server that has no such
// endpoint is left to Check.
func (d *Destination) readPermissions(ctx context.Context) error {
	var me struct {
		Permissions []string `json:"permissions"`
	}
	err := d.client.GetJSON(ctx, "/api/account", &me)
	switch {
	case err == nil:
		d.permissions = make(map[string]bool, len(me.Permissions))
		for _, p := range me.Permissions {
			d.permissions[p] = true
		}
		return nil
	case model.CodeOf(err) == "notFound", model.CodeOf(err) == "badAnswer":
		return nil
	}
	return err
}

// readLimits takes what the session announces. What it does not, are the
// defaults of 0.16.18: the number of mailboxes (x:Email.maxMailboxes, see
// readSettings), of keywords (a 128-bit set less 29 system keywords), of shares
// (x:Sharing.maxShares, see there) and of Sieve's includes
// (x:SieveUserInterpreter).
func (d *Destination) readLimits() {
	core := d.session.Core
	d.limits = destination.Limits{
		MaxMailboxName:   254,
		MaxMailboxDepth:  10,
		MaxMailboxes:     250,
		MaxKeywords:      99,
		MaxScript:        102_400,
		SieveMaxRedirect: 1,
		MaxShares:        10,
		SieveMaxIncludes: 3,
		SieveMaxDepth:    3,
		SieveCasedRegex:  true,
		BatchItems:       500,
		BatchOctets:      5 << 20,
	}
	l := &d.limits
	if core.MaxObjectsInSet > 0 {
		l.BatchItems = min(l.BatchItems, core.MaxObjectsInSet)
	}
	if !d.permissions["unlimitedUploads"] {
		l.MaxMessage = core.MaxSizeUpload
	}
	var mail struct{ MaxMailboxDepth, MaxSizeMailboxName int }
	if d.session.AccountCapability(capMail, &mail) {
		if mail.MaxMailboxDepth > 0 {
			l.MaxMailboxDepth = mail.MaxMailboxDepth
		}
		// The server compares with <.
		if mail.MaxSizeMailboxName > 1 {
			l.MaxMailboxName = mail.MaxSizeMailboxName - 1
		}
	}
	var sieve struct {
		MaxSizeScript      int64
		MaxNumberRedirects *int
		SieveExtensions    []string
	}
	if d.session.AccountCapability(capSieve, &sieve) {
		if sieve.MaxSizeScript > 0 {
			l.MaxScript = sieve.MaxSizeScript
		}
		if sieve.MaxNumberRedirects != nil {
			l.SieveMaxRedirect = *sieve.MaxNumberRedirects
		}
		l.SieveExtensions = slices.Sorted(slices.Values(sieve.SieveExtensions))
	}
}

// Limits implements destination.Destination.
func (d *Destination) Limits() destination.Limits { return d.limits }

// Close drops idle connections.
func (d *Destination) Close() error {
	d.dav.http.CloseIdleConnections()
	return d.client.Close()
}

// Open implements destination.Destination.
func (d *Destination) Open(ctx context.Context, address string) (destination.Account, error) {
	address = strings.ToLower(strings.TrimSpace(address))
	d.mu.Lock()
	a := d.accounts[address]
	d.mu.Unlock()
	if a != nil {
		return a, nil
	}
	id, primary, err := d.lookup(ctx, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, have := range d.accounts {
		if have.id == id {
			a = have // one account, one set of locks, under all its addresses
		}
	}
	if a == nil {
		a = &Account{d: d, id: id, address: primary}
	}
	d.accounts[address] = a
	return a, nil
}

// lookup finds the id and primary address of the account that owns an
// address, as itself or as an alias.
func (d *Destination) lookup(ctx context.Context, address string) (id, primary string, err error) {
	r := jmap.NewRequest(capPrincipals)
	self := d.session.PrimaryAccounts[capPrincipals]
	query := r.Call("Principal/query", args{"accountId": self, "filter": args{"email": address}})
	get := r.Call("Principal/get", args{"accountId": self, "#ids": r.Ref(query, "/ids"), "properties": []string{"id", "name", "email"}})
	resp, err := d.client.Do(ctx, r)
	if err != nil {
		return "", "", err
	}
	var found struct{ IDs []string }
	if err := resp.Decode(query, &found); err != nil {
		var me *jmap.MethodError
		if errors.As(err, &me) && (me.Type == "forbidden" || me.Type == "unknownMethod") {
			return d.lookupAccount(ctx, address)
		}
		return "", "", fault(err)
	}
	if len(found.IDs) == 0 {
		return "", "", noAccount(address)
	}
	if len(found.IDs) > 1 {
		return "", "", &model.Fault{Class: model.ClassAccount, Code: "ambiguousAddress", Account: address, Err: fmt.Errorf("%d accounts own the address", len(found.IDs))}
	}
	var got struct {
		List []struct{ ID, Name, Email string }
	}
	primary = address
	if err := resp.Decode(get, &got); err == nil && len(got.List) == 1 {
		for _, s := range []string{got.List[0].Email, got.List[0].Name} {
			if strings.Contains(s, "@") {
				primary = strings.ToLower(s)
				break
			}
		}
	}
	return found.IDs[0], primary, nil
}

// lookupAccount is lookup for a login without access to principals. It does
// not see aliases.
func (d *Destination) lookupAccount(ctx context.Context, address string) (id, primary string, err error) {
	local, name, ok := strings.Cut(address, "@")
	if !ok {
		return "", "", noAccount(address)
	}
	domain, err := d.domainID(ctx, name)
	if err != nil {
		return "", "", err
	}
	if domain == "" {
		return "", "", noAccount(address)
	}
	ids, err := d.query(ctx, "x:Account", args{"name": local, "domainId": domain})
	if err != nil {
		return "", "", err
	}
	if len(ids) == 0 {
		return "", "", noAccount(address)
	}
	return ids[0], address, nil
}

func noAccount(address string) error {
	return &model.Fault{Class: model.ClassAccount, Code: destination.CodeNoAccount, Account: address,
		Err: errors.New("the destination has no such account"), Remedy: "run `mailhaul provision`, or correct the address under accounts:"}
}
