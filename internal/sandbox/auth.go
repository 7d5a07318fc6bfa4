package sandbox

import (
	"crypto/sha256"
	"encoding/base64"
	"hash/fnv"
	"net/http"
	"sort"
	"strings"
)

// token is who a request acts as.
type token struct {
	account     uint32
	name        string // primary address
	permissions map[string]bool
	groups      map[uint32]bool
}

func (t token) can(permission string) bool { return t.permissions[permission] }

// list returns the permissions, sorted.
func (t token) list() []string {
	out := make([]string, 0, len(t.permissions))
	for p := range t.permissions {
		out = append(out, p)
	}
	sort.Strings(out)
	return out
}

// sessionState changes when the account or its permissions do.
func sessionState(t token) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(t.name + "\x00" + strings.Join(t.list(), ",")))
	const digits = "0123456789abcdef"
	var buf []byte
	for n := h.Sum32(); n > 0; n >>= 4 {
		buf = append([]byte{digits[n&15]}, buf...)
	}
	return string(buf)
}

// userPermissions are those of the default role User that the sandbox acts
// upon; the real role has 244.
var userPermissions = []string{
	"authenticate", "emailReceive", "emailSend", "jmapCoreEcho",
	"jmapMailboxGet", "jmapMailboxChanges", "jmapMailboxQuery", "jmapMailboxCreate", "jmapMailboxUpdate", "jmapMailboxDestroy",
	"jmapThreadGet", "jmapThreadChanges",
	"jmapEmailGet", "jmapEmailChanges", "jmapEmailQuery", "jmapEmailCreate", "jmapEmailUpdate", "jmapEmailDestroy", "jmapEmailImport",
	"jmapIdentityGet", "jmapIdentityCreate", "jmapIdentityUpdate", "jmapIdentityDestroy",
	"jmapVacationResponseGet", "jmapVacationResponseCreate", "jmapVacationResponseUpdate", "jmapVacationResponseDestroy",
	"jmapSieveScriptGet", "jmapSieveScriptQuery", "jmapSieveScriptValidate", "jmapSieveScriptCreate", "jmapSieveScriptUpdate", "jmapSieveScriptDestroy",
	"jmapPrincipalGet", "jmapPrincipalQuery", "jmapQuotaGet", "jmapBlobGet", "jmapBlobUpload",
	"jmapCalendarGet", "jmapCalendarChanges", "jmapCalendarCreate", "jmapCalendarUpdate", "jmapCalendarDestroy",
	"jmapCalendarEventGet", "jmapCalendarEventChanges", "jmapCalendarEventParse", "jmapCalendarEventCreate", "jmapCalendarEventUpdate", "jmapCalendarEventDestroy",
	"jmapAddressBookGet", "jmapAddressBookChanges", "jmapAddressBookCreate", "jmapAddressBookUpdate", "jmapAddressBookDestroy",
	"jmapContactCardGet", "jmapContactCardChanges", "jmapContactCardCreate", "jmapContactCardUpdate", "jmapContactCardDestroy",
	"jmapFileNodeGet", "jmapFileNodeQuery", "jmapFileNodeChanges", "jmapFileNodeCreate", "jmapFileNodeUpdate", "jmapFileNodeDestroy",
	"davCalGet", "davCalPut", "davCalDelete", "davCalMove", "davCalMkCol", "davCalPropFind", "davCalPropPatch", "davCalQuery", "davCalMultiGet",
	"davCardGet", "davCardPut", "davCardDelete", "davCardMove", "davCardMkCol", "davCardPropFind", "davCardPropPatch", "davCardQuery", "davCardMultiGet",
	"davFileGet", "davSyncCollection", "calendarSchedulingSend", "calendarAlarmsSend",
}

// groupPermissions are those of the default role Group: a group cannot log in.
var groupPermissions = userPermissions[1:]

// adminPermissions are those that the role System Administrator adds.
var adminPermissions = func() []string {
	list := []string{"impersonate", "unlimitedRequests", "unlimitedUploads", "fetchAnyBlob"}
	for _, object := range []string{"Account", "Domain", "MailingList"} {
		for _, verb := range []string{"Get", "Query", "Create", "Update", "Destroy"} {
			list = append(list, "sys"+object+verb)
		}
	}
	for object := range defaultSettings() {
		list = append(list, "sys"+object+"Get", "sys"+object+"Update")
	}
	return append(list, "sysActionCreate", "sysTaskCreate")
}()

// permissionsOf works out roles and own permissions of an account.
func permissionsOf(a *account) map[string]bool {
	set := map[string]bool{}
	grant := func(list []string) {
		for _, p := range list {
			set[p] = true
		}
	}
	switch role, _ := a.roles["@type"].(string); {
	case a.group:
		grant(groupPermissions)
	case role == "Admin":
		grant(userPermissions)
		grant(adminPermissions)
	case role == "" || role == "User" || role == "Default":
		grant(userPermissions)
	}
	kind, _ := a.permissions["@type"].(string)
	if kind == "Replace" {
		set = map[string]bool{}
	}
	if kind == "Merge" || kind == "Replace" {
		for p := range subset(a.permissions["enabledPermissions"]) {
			set[p] = true
		}
		for p := range subset(a.permissions["disabledPermissions"]) {
			delete(set, p)
		}
	}
	return set
}

func subset(v any) map[string]bool {
	out := map[string]bool{}
	set, _ := v.(obj)
	for k, on := range set {
		if on == true {
			out[k] = true
		}
	}
	return out
}

// authenticate checks HTTP Basic credentials: `login:password`, or
// `target%master:password-of-master`.
func (s *Server) authenticate(r *http.Request) (token, *httpError) {
	header := r.Header.Get("Authorization")
	scheme, cred, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return token{}, errUnauthorized()
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(cred))
	if err != nil {
		return token{}, errUnauthorized()
	}
	login, password, ok := strings.Cut(string(raw), ":")
	if !ok || password == "" {
		return token{}, errUnauthorized()
	}
	target, master, isMaster := strings.Cut(strings.ToLower(login), "%")
	who := target
	if isMaster {
		who = master
	}

	s.mu.Lock()
	a := s.byAddress(s.withDomain(who))
	if a == nil || a.group || a.secret == "" {
		s.mu.Unlock()
		return token{}, errUnauthorized()
	}
	// Like the server, remember what was verified: hashes are slow on purpose.
	key := a.secret + "\x00" + string(sum256(password))
	verified := s.logins[key]
	secret := a.secret
	s.mu.Unlock()
	if !verified && !verifyHash(secret, password) {
		return token{}, errUnauthorized()
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins[key] = true
	t := s.tokenOf(a)
	if !t.can("authenticate") {
		return token{}, errForbidden()
	}
	if !isMaster {
		if s.addressOf(a) != s.withDomain(who) && !t.can("authenticateWithAlias") {
			return token{}, errUnauthorized()
		}
		return t, nil
	}
	if !t.can("impersonate") {
		return token{}, errForbidden()
	}
	b := s.byAddress(target)
	if b == nil {
		return token{}, errUnauthorized()
	}
	if t = s.tokenOf(b); !t.can("authenticate") {
		return token{}, errForbidden()
	}
	return t, nil
}

func sum256(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

func (s *Server) tokenOf(a *account) token {
	return token{account: a.id, name: s.addressOf(a), permissions: permissionsOf(a), groups: a.memberOf}
}

// withDomain adds the default domain to a bare name.
func (s *Server) withDomain(login string) string {
	if strings.Contains(login, "@") {
		return login
	}
	return login + "@" + defaultDomain
}

// byAddress finds the account that owns an address, aliases and alias
// domains included.
func (s *Server) byAddress(address string) *account {
	if id, ok := s.emails[address]; ok {
		return s.accounts[id]
	}
	local, name, ok := strings.Cut(address, "@")
	if !ok {
		return nil
	}
	for _, d := range s.domains {
		if d.aliases[name] {
			if id, ok := s.emails[local+"@"+d.name]; ok {
				return s.accounts[id]
			}
		}
	}
	return nil
}

// addressOf returns the primary address.
func (s *Server) addressOf(a *account) string {
	d := s.domains[a.domain]
	if d == nil {
		return a.local
	}
	return a.local + "@" + d.name
}
