package sandbox

import (
	"maps"
	"slices"
	"sort"
)

// knownCapabilities are those that `using` may name.
var knownCapabilities = func() map[string]bool {
	known := map[string]bool{}
	for _, c := range []string{
		"core", "mail", "submission", "vacationresponse", "contacts", "contacts:parse", "calendars", "calendars:parse",
		"websocket", "sieve", "blob", "quota", "principals", "principals:owner", "principals:availability", "filenode",
		"mail:share", "webpush-vapid", "emailpush",
	} {
		known["urn:ietf:params:jmap:"+c] = true
	}
	known[capStalwart] = true
	return known
}()

// served are the capabilities that the sandbox has methods for. The real
// session lists more; a client must not find what would not work.
var served = []string{capMail, capSubmission, capVacation, capSieve, capBlob, capQuota, capPrincipals, capCalendars, capContacts, capFiles, capStalwart}

// served are those, or without calendars, contacts and files.
func (s *Server) served() []string {
	if !s.opts.MailOnly {
		return served
	}
	return slices.DeleteFunc(slices.Clone(served), isGroupware)
}

func isGroupware(capability string) bool {
	return capability == capCalendars || capability == capContacts || capability == capFiles
}

// session returns the session object (RFC 8620 §2); without a login it holds
// capabilities and URLs only.
func (s *Server) session(base string, tok *token) obj {
	unlimited := func(n int) int64 {
		if n < 0 {
			return 1<<32 - 1
		}
		return int64(n)
	}
	l := s.limitsNow()
	capabilities := obj{capCore: obj{
		"maxSizeUpload":         l.MaxSizeUpload,
		"maxConcurrentUpload":   unlimited(l.MaxConcurrentUpload),
		"maxSizeRequest":        l.MaxSizeRequest,
		"maxConcurrentRequests": unlimited(l.MaxConcurrentRequests),
		"maxCallsInRequest":     l.MaxCallsInRequest,
		"maxObjectsInGet":       l.MaxObjectsInGet,
		"maxObjectsInSet":       l.MaxObjectsInSet,
		"collationAlgorithms":   []string{"i;ascii-numeric", "i;ascii-casemap", "i;unicode-casemap"},
	}}
	for _, c := range s.served() {
		capabilities[c] = obj{}
	}
	capabilities[capSieve] = obj{"implementation": "Stalwart v1.0.0"}
	out := obj{
		"capabilities":    capabilities,
		"accounts":        obj{},
		"primaryAccounts": obj{},
		"username":        "",
		"apiUrl":          base + "/jmap/",
		"downloadUrl":     base + "/jmap/download/{accountId}/{blobId}/{name}?accept={type}",
		"uploadUrl":       base + "/jmap/upload/{accountId}/",
		"eventSourceUrl":  base + "/jmap/eventsource/?types={types}&closeafter={closeafter}&ping={ping}",
		"state":           "0",
	}
	if tok == nil {
		return out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := formatID32(tok.account)
	out["username"] = tok.name
	out["state"] = sessionState(*tok)
	primary := obj{}
	for _, c := range s.served() {
		primary[c] = id
	}
	out["primaryAccounts"] = primary
	accounts := obj{id: obj{"name": tok.name, "isPersonal": true, "isReadOnly": false, "accountCapabilities": s.accountCapabilities(id)}}
	for g := range tok.groups {
		if a := s.accounts[g]; a != nil {
			gid := formatID32(g)
			accounts[gid] = obj{"name": s.addressOf(a), "isPersonal": false, "isReadOnly": false, "accountCapabilities": s.accountCapabilities(gid)}
		}
	}
	out["accounts"] = accounts
	return out
}

func (s *Server) accountCapabilities(id string) obj {
	l := s.limits
	extensions := make([]string, 0, len(sieveExtensions))
	for e := range sieveExtensions {
		extensions = append(extensions, e)
	}
	sort.Strings(extensions)
	all := obj{
		capMail: obj{
			"maxMailboxesPerEmail":       nil,
			"maxMailboxDepth":            l.MaxMailboxDepth,
			"maxSizeMailboxName":         l.MaxMailboxNameLength,
			"maxSizeAttachmentsPerEmail": 50_000_000,
			"emailQuerySortOptions":      []string{"receivedAt", "size", "from", "to", "subject", "sentAt", "hasKeyword", "allInThreadHaveKeyword", "someInThreadHaveKeyword"},
			"mayCreateTopLevelMailbox":   true,
		},
		capSubmission: obj{"maxDelayedSend": 86400 * 30, "submissionExtensions": obj{
			"FUTURERELEASE": []string{}, "SIZE": []string{}, "DSN": []string{}, "DELIVERYBY": []string{}, "MT-PRIORITY": []string{"MIXER"}, "REQUIRETLS": []string{},
		}},
		capVacation: obj{},
		capSieve: obj{
			"maxSizeScriptName":   l.MaxScriptNameLength,
			"maxSizeScript":       l.MaxScriptSize,
			"maxNumberScripts":    l.MaxScripts,
			"maxNumberRedirects":  1,
			"sieveExtensions":     extensions,
			"notificationMethods": []string{"mailto"},
			"externalLists":       nil,
		},
		capBlob: obj{
			"maxSizeBlobSet":            l.MaxSizeRequest*3/4 - 512,
			"maxDataSources":            l.MaxCallsInRequest,
			"supportedTypeNames":        []string{"Email", "Thread", "SieveScript"},
			"supportedDigestAlgorithms": []string{"sha", "sha-256", "sha-512"},
		},
		capCalendars: obj{"maxCalendarsPerEvent": 1, "minDateTime": "0001-01-01T00:00:00Z", "maxDateTime": "9999-12-31T23:59:59Z",
			"maxExpandedQueryDuration": "P52W1D", "maxParticipantsPerEvent": 20, "mayCreateCalendar": true},
		capContacts:   obj{"maxAddressBooksPerCard": 1, "mayCreateAddressBook": true},
		capFiles:      obj{},
		capQuota:      obj{},
		capPrincipals: obj{"currentUserPrincipalId": id},
		capStalwart:   obj{},
	}
	if s.opts.MailOnly {
		maps.DeleteFunc(all, func(c string, _ any) bool { return isGroupware(c) })
	}
	return all
}
