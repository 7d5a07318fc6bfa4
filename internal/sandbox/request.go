package sandbox

import (
	"fmt"
	"strings"
)

// request is one API request (RFC 8620 §3.3) being worked off.
type request struct {
	s         *Server
	tok       token
	using     map[string]bool
	created   map[string]string // creation id to id, over all calls
	responses []response
}

// response is one method response kept for result references.
type response struct {
	name   string
	callID string
	result obj
}

// call is one method call.
type call struct {
	*request
	name    string
	args    value
	account uint32
	stop    int // objects to commit before the store "fails"; 0 never
	stopped bool
	objects int // objects committed
}

// handler answers one method with the server's lock held.
type handler func(*call) (obj, *methodError)

// method is what the dispatcher needs to know of a method.
type method struct {
	capability string // that `using` must name; empty: none
	account    bool   // accountId is required, else it defaults to the login's
	permission string // of the login; the …Create/Update/Destroy trio if it ends in "*"
	handle     handler
}

const (
	capCore       = "urn:ietf:params:jmap:core"
	capMail       = "urn:ietf:params:jmap:mail"
	capBlob       = "urn:ietf:params:jmap:blob"
	capSubmission = "urn:ietf:params:jmap:submission"
	capVacation   = "urn:ietf:params:jmap:vacationresponse"
	capSieve      = "urn:ietf:params:jmap:sieve"
	capQuota      = "urn:ietf:params:jmap:quota"
	capPrincipals = "urn:ietf:params:jmap:principals"
	capCalendars  = "urn:ietf:params:jmap:calendars"
	capContacts   = "urn:ietf:params:jmap:contacts"
	capFiles      = "urn:ietf:params:jmap:filenode"
	capStalwart   = "urn:stalwart:jmap"
)

var methods map[string]method

func init() {
	methods = map[string]method{
		"Core/echo":            {capCore, false, "jmapCoreEcho", nil},
		"Mailbox/get":          {capMail, true, "jmapMailboxGet", mailboxGet},
		"Mailbox/query":        {capMail, true, "jmapMailboxQuery", mailboxQuery},
		"Mailbox/changes":      {capMail, true, "jmapMailboxChanges", mailboxChanges},
		"Mailbox/set":          {capMail, true, "jmapMailbox*", mailboxSet},
		"Email/get":            {capMail, true, "jmapEmailGet", emailGet},
		"Email/query":          {capMail, true, "jmapEmailQuery", emailQuery},
		"Email/changes":        {capMail, true, "jmapEmailChanges", emailChanges},
		"Email/set":            {capMail, true, "jmapEmail*", emailSet},
		"Email/import":         {capMail, true, "jmapEmailImport", emailImport},
		"Thread/get":           {capMail, true, "jmapThreadGet", threadGet},
		"Thread/changes":       {capMail, true, "jmapThreadChanges", threadChanges},
		"Blob/upload":          {capBlob, true, "jmapBlobUpload", blobUpload},
		"Blob/get":             {capBlob, true, "jmapBlobGet", blobGet},
		"Quota/get":            {capQuota, true, "jmapQuotaGet", quotaGet},
		"Principal/get":        {capPrincipals, false, "jmapPrincipalGet", principalGet},
		"Principal/query":      {capPrincipals, false, "jmapPrincipalQuery", principalQuery},
		"Identity/get":         {capSubmission, true, "jmapIdentityGet", identityGet},
		"Identity/set":         {capSubmission, true, "jmapIdentity*", identitySet},
		"SieveScript/get":      {capSieve, true, "jmapSieveScriptGet", sieveGet},
		"SieveScript/query":    {capSieve, true, "jmapSieveScriptQuery", sieveQuery},
		"SieveScript/set":      {capSieve, true, "jmapSieveScript*", sieveSet},
		"SieveScript/validate": {capSieve, true, "jmapSieveScriptValidate", sieveValidate},
		"VacationResponse/get": {capVacation, true, "jmapVacationResponseGet", vacationGet},
		"VacationResponse/set": {capVacation, true, "jmapVacationResponse*", vacationSet},
		"x:Domain/get":         {"", false, "sysDomainGet", domainGet},
		"x:Domain/query":       {"", false, "sysDomainQuery", domainQuery},
		"x:Domain/set":         {"", false, "sysDomain*", domainSet},
		"x:Account/get":        {"", false, "sysAccountGet", accountGet},
		"x:Account/query":      {"", false, "sysAccountQuery", accountQuery},
		"x:Account/set":        {"", false, "sysAccount*", accountSet},
		"x:MailingList/get":    {"", false, "sysMailingListGet", listGet},
		"x:MailingList/query":  {"", false, "sysMailingListQuery", listQuery},
		"x:MailingList/set":    {"", false, "sysMailingList*", listSet},
		"x:Action/set":         {"", false, "sysAction*", actionSet},
		"x:Task/set":           {"", false, "sysTask*", taskSet},

		"CalendarEvent/parse": {capCalendars, true, "jmapCalendarEventParse", eventParse},
		"FileNode/get":        {capFiles, true, "jmapFileNodeGet", fileGet},
		"FileNode/query":      {capFiles, true, "jmapFileNodeQuery", fileQuery},
		"FileNode/changes":    {capFiles, true, "jmapFileNodeChanges", fileChanges},
		"FileNode/set":        {capFiles, true, "jmapFileNode*", fileSet},
	}
	writers := map[*homeKind]objectWriter{calendarKind: writeEvent, bookKind: writeCard}
	for _, kind := range homeKinds {
		add := func(object, verb, permission string, h handler) {
			methods[object+"/"+verb] = method{kind.capability, true, "jmap" + object + permission, h}
		}
		add(kind.container, "get", "Get", collectionGet(kind))
		add(kind.container, "changes", "Changes", homeChanges(kind, true))
		add(kind.container, "set", "*", collectionSet(kind))
		add(kind.object, "get", "Get", objectGet(kind))
		add(kind.object, "changes", "Changes", homeChanges(kind, false))
		add(kind.object, "set", "*", objectSet(kind, writers[kind]))
	}
	for name := range defaultSettings() {
		methods["x:"+name+"/get"] = method{"", false, "sys" + name + "Get", singletonGet(name)}
		methods["x:"+name+"/set"] = method{"", false, "sys" + name + "*", singletonSet(name)}
	}
}

// serveRequest works off a request body. It answers, or plays a fault, or
// refuses the whole request.
func (s *Server) serveRequest(tok token, body []byte) (obj, *Fault, *httpError) {
	root, err := parseJSON(body)
	if err != nil || root.kind != kindObject {
		return nil, nil, errNotRequest(string(body))
	}
	req := &request{s: s, tok: tok, using: map[string]bool{}, created: map[string]string{}}
	for _, c := range root.get("using").list {
		if c.kind != kindString || !knownCapabilities[c.text] {
			return nil, nil, errNotRequest(string(body))
		}
		req.using[c.text] = true
	}
	calls := root.get("methodCalls")
	if calls.isSet() && calls.kind != kindList {
		return nil, nil, errNotRequest(string(body))
	}
	for _, c := range calls.list {
		if c.kind != kindList || len(c.list) != 3 || c.list[0].kind != kindString || c.list[2].kind != kindString {
			return nil, nil, errNotRequest(string(body))
		}
	}
	if len(calls.list) > s.limitsNow().MaxCallsInRequest {
		return nil, nil, errLimit("maxCallsInRequest")
	}
	given := root.get("createdIds")
	for _, m := range given.members {
		req.created[m.name] = m.value.text
	}

	answers := make([]any, 0, len(calls.list))
	for _, c := range calls.list {
		name, id := c.list[0].text, c.list[2].text
		result, fault, fail := req.run(name, c.list[1])
		if fault != nil {
			return nil, fault, nil
		}
		if fail != nil {
			name, result = "error", fail.object()
		}
		req.responses = append(req.responses, response{name, id, result})
		answers = append(answers, []any{name, result, id})
	}
	out := obj{"methodResponses": answers, "sessionState": sessionState(tok)}
	if given.isSet() {
		ids := obj{}
		for k, v := range req.created {
			ids[k] = v
		}
		out["createdIds"] = ids
	}
	return out, nil, nil
}

// run does one method call. A fault ends the whole request.
func (req *request) run(name string, args value) (obj, *Fault, *methodError) {
	m, ok := methods[name]
	if !ok {
		return nil, nil, &methodError{"unknownMethod", name}
	}
	if args.kind != kindObject {
		return nil, nil, invalidArguments("invalid type: expected a JMAP request object")
	}
	for _, a := range args.members {
		if strings.ContainsRune(a.name, '\\') {
			return nil, nil, invalidArguments("invalid argument name")
		}
	}
	args, fail := req.resolve(name, args)
	if fail != nil {
		return nil, nil, fail
	}
	if m.capability != "" && !req.using[m.capability] {
		return nil, nil, &methodError{"unknownMethod", fmt.Sprintf("Method %s requires capability %s which is not present in the \"using\" property.", name, m.capability)}
	}
	if fail := req.permit(m, args); fail != nil {
		return nil, nil, fail
	}
	c := &call{request: req, name: name, args: args}
	if fail := c.target(m); fail != nil {
		return nil, nil, fail
	}

	info := Call{Method: name, Account: formatID32(c.account), Login: req.tok.name}
	if req.s.opts.Intercept != nil {
		info.Contents = c.contents()
	}
	before := req.s.ask(info)
	if before.ends() && before.Stop == 0 {
		return nil, before.whole(), before.method()
	}
	if before != nil {
		c.stop = before.Stop
	}
	result, fail := c.handle(m)
	if fail == errBreaksOff {
		return nil, &Fault{Drop: true}, nil
	}
	if c.stopped && before.ends() {
		return nil, before.whole(), before.method()
	}
	info.After, info.Objects = true, c.objects
	if f := req.s.ask(info); f.ends() {
		return nil, f.whole(), f.method()
	}
	if fail == nil {
		req.remember(result)
	}
	return result, nil, fail
}

func (c *call) handle(m method) (obj, *methodError) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if m.handle == nil { // Core/echo
		result, _ := c.args.any().(obj)
		return result, nil
	}
	return m.handle(c)
}

// permit checks that the login may call the method.
func (req *request) permit(m method, args value) *methodError {
	need := []string{m.permission}
	if base, ok := strings.CutSuffix(m.permission, "*"); ok {
		need = nil
		for arg, verb := range map[string]string{"create": "Create", "update": "Update", "destroy": "Destroy"} {
			if v := args.get(arg); len(v.members) > 0 || len(v.list) > 0 {
				need = append(need, base+verb)
			}
		}
	}
	for _, p := range need {
		if !req.tok.can(p) {
			return &methodError{"forbidden", "You are not authorized to perform this action"}
		}
	}
	return nil
}

// target finds the account that the call is about.
func (c *call) target(m method) *methodError {
	id := c.args.get("accountId")
	if !id.isSet() {
		if m.account {
			return invalidArguments("The \"accountId\" property is required.")
		}
		c.account = c.tok.account
		return nil
	}
	n, err := parseID(id.text)
	if id.kind != kindString || id.escaped {
		return invalidArguments("invalid accountId")
	}
	if err != nil || n >= 1<<32-1 {
		return errNoAccount
	}
	c.account = uint32(n)
	if !c.owns() && !c.seesNow() {
		switch object, _, _ := strings.Cut(c.name, "/"); object {
		case "Email", "Mailbox", "Thread", "Calendar", "CalendarEvent", "AddressBook", "ContactCard", "FileNode":
			return &methodError{"forbidden", "You do not have access to account " + id.text}
		}
		if !strings.HasPrefix(c.name, "Principal/") {
			return &methodError{"forbidden", "You are not an owner of account " + id.text}
		}
	}
	return nil
}

// remember keeps the ids of created objects for "#ref"s of later calls.
func (req *request) remember(result obj) {
	created, _ := result["created"].(obj)
	for ref, o := range created {
		if o, ok := o.(obj); ok {
			if id, ok := o["id"].(string); ok {
				req.created[ref] = id
			}
		}
	}
}

// step accounts for one committed object and fails when the fault to play
// says that the store breaks here.
func (c *call) step() *methodError {
	if c.stop > 0 && c.objects >= c.stop {
		c.stopped = true
		return errUnavailable
	}
	c.objects++
	return nil
}
