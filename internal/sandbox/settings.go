package sandbox

import (
	"maps"
	"time"
)

// defaultSettings are the registry singletons that a migration looks at. The
// properties are those that the client may care about, with the server's
// defaults; durations are milliseconds.
func defaultSettings() map[string]obj {
	return map[string]obj{
		"DataRetention": {
			"expungeTrashAfter": int64(2_592_000_000), "expungeSubmissionsAfter": int64(259_200_000),
			"expungeShareNotifyAfter": int64(2_592_000_000), "expungeSchedulingInboxAfter": int64(2_592_000_000),
			"maxChangesHistory": int64(10_000),
		},
		"Email": {
			"maxAttachmentSize": int64(50_000_000), "maxMessageSize": int64(75_000_000), "maxMailboxDepth": int64(10),
			"maxMailboxNameLength": int64(255), "encryptOnAppend": false, "encryptAtRest": true, "maxMessages": nil,
			"maxSubmissions": int64(500), "maxIdentities": int64(20), "maxMailboxes": int64(250),
			"maxMaskedAddresses": int64(5), "maxPublicKeys": int64(5),
		},
		"Jmap": {
			"parseLimitEvent": int64(10), "parseLimitContact": int64(10), "parseLimitEmail": int64(10),
			"changesMaxResults": int64(5000), "getMaxResults": int64(500), "queryMaxResults": int64(5000),
			"maxMethodCalls": int64(16), "maxConcurrentRequests": int64(4), "maxRequestSize": int64(10_000_000),
			"setMaxObjects": int64(500), "maxConcurrentUploads": int64(4), "maxUploadSize": int64(50_000_000),
			"maxUploadCount": int64(1000), "uploadQuota": int64(50_000_000), "uploadTtl": int64(3_600_000),
		},
		"AddressBook": {
			"defaultDisplayName": "Stalwart Address Book", "defaultHrefName": "default", "maxVCardSize": int64(512 << 10), "maxAddressBooks": int64(250), "maxContacts": nil,
		},
		"Calendar": {
			"defaultDisplayName": "Stalwart Calendar", "defaultHrefName": "default", "maxAttendees": int64(20), "maxRecurrenceExpansions": int64(3000),
			"maxICalendarSize": int64(512 << 10), "maxCalendars": int64(250), "maxEvents": nil, "maxParticipantIdentities": int64(100), "maxEventNotifications": nil,
		},
		"CalendarAlarm": {
			"allowExternalRcpts": false, "enable": true, "fromEmail": nil, "fromName": "Stalwart Calendar", "minTriggerInterval": int64(3_600_000), "template": nil,
		},
		"CalendarScheduling": {
			"enable": true, "httpRsvpEnable": true, "httpRsvpLinkExpiry": int64(7_776_000_000), "httpRsvpUrl": nil, "autoAddInvitations": false,
			"itipMaxSize": int64(512 << 10), "maxRecipients": int64(100), "emailTemplate": nil, "httpRsvpTemplate": nil,
		},
		"WebDav": {
			"enableAssistedDiscovery": true, "maxLockTimeout": int64(3_600_000), "maxLocks": int64(10), "deadPropertyMaxSize": int64(1024),
			"livePropertyMaxSize": int64(250), "requestMaxSize": int64(25 << 20), "maxResults": int64(2000),
		},
		"Sharing": {"allowDirectoryQueries": false, "maxShares": int64(10)},
		"Search": {
			"indexBatchSize": int64(100), "defaultLanguage": "en_US", "indexEmail": true, "indexCalendar": true, "indexContacts": true, "indexTelemetry": true,
		},
		"SpamClassifier": {
			"model": obj{"@type": "FtrlFh"}, "learnHamFromCard": true, "learnSpamFromRblHits": int64(2), "learnSpamFromTraps": true,
			"holdSamplesFor": int64(15_552_000_000), "minHamSamples": int64(100), "minSpamSamples": int64(100),
			"reservoirCapacity": int64(1024), "trainFrequency": int64(43_200_000), "learnHamFromReply": true,
		},
	}
}

func singletonGet(object string) handler {
	return func(c *call) (obj, *methodError) {
		w, fail := c.wants()
		if fail != nil {
			return nil, fail
		}
		if w.all {
			w.ids = []uint64{singletonID}
		}
		var list []any
		for _, id := range w.ids {
			if id != singletonID {
				w.missing(id)
				continue
			}
			o := maps.Clone(c.s.settings[object])
			o["id"] = "singleton"
			list = append(list, w.pick(o))
		}
		out := c.got(w, "", list)
		delete(out, "state")
		return out, nil
	}
}

// singletonSet changes settings; they act after ReloadSettings.
func singletonSet(object string) handler {
	return func(c *call) (obj, *methodError) {
		return c.registrySet(
			func(value) (uint32, setError) { return 0, newSetError("singleton", "") },
			func(id uint64, v value) setError {
				if id != singletonID {
					return newSetError("notFound", "")
				}
				next := maps.Clone(c.s.settings[object])
				for _, m := range v.members {
					if _, known := next[m.name]; !known {
						return invalidProperty("Invalid property or value.", m.name)
					}
					next[m.name] = m.value.any()
				}
				c.s.settings[object] = next
				return nil
			},
			func(uint64) setError { return newSetError("singleton", "") },
		)
	}
}

var actions = map[string]bool{
	"ReloadSettings": true, "ReloadTlsCertificates": true, "ReloadLookupStores": true, "ReloadBlockedIps": true,
	"InvalidateCaches": true, "InvalidateNegativeCaches": true,
}

func actionSet(c *call) (obj, *methodError) {
	return c.registrySet(
		func(v value) (uint32, setError) {
			kind := v.get("@type").text
			if !actions[kind] {
				return 0, invalidProperty("Invalid property or value.", "@type")
			}
			if kind == "ReloadSettings" {
				c.s.reload()
			}
			return c.s.nextNumber("Action"), nil
		},
		func(uint64, value) setError { return newSetError("forbidden", "Actions cannot be updated") },
		func(uint64) setError { return newSetError("forbidden", "Actions cannot be destroyed") },
	)
}

// taskSet takes the task to index everything, which this server, whose searches
// read what is stored, has no work with.
func taskSet(c *call) (obj, *methodError) {
	return c.registrySet(
		func(v value) (uint32, setError) {
			if v.get("@type").text != "StoreMaintenance" || v.get("maintenanceType").text != "reindexAccounts" {
				return 0, invalidProperty("Invalid property or value.", "@type")
			}
			return c.s.nextNumber("Task"), nil
		},
		func(uint64, value) setError { return newSetError("notFound", "") },
		func(uint64) setError { return newSetError("notFound", "") },
	)
}

// reload makes settings act that differ from the defaults; what Options set
// stays otherwise.
func (s *Server) reload() {
	defaults := defaultSettings()
	number := func(object, name string, set func(int64)) {
		now := s.settings[object][name]
		if now == defaults[object][name] && !s.reloaded[object+"."+name] {
			return
		}
		s.reloaded[object+"."+name] = true
		switch n := now.(type) {
		case int64:
			set(n)
		case nil:
			set(-1)
		}
	}
	l := &s.limits
	toInt := func(p *int) func(int64) { return func(n int64) { *p = int(n) } }
	toInt64 := func(p *int64) func(int64) { return func(n int64) { *p = n } }
	number("Jmap", "changesMaxResults", toInt(&l.ChangesMaxResults))
	number("Jmap", "getMaxResults", toInt(&l.MaxObjectsInGet))
	number("Jmap", "queryMaxResults", toInt(&l.QueryMaxResults))
	number("Jmap", "maxMethodCalls", toInt(&l.MaxCallsInRequest))
	number("Jmap", "maxConcurrentRequests", toInt(&l.MaxConcurrentRequests))
	number("Jmap", "maxRequestSize", toInt64(&l.MaxSizeRequest))
	number("Jmap", "setMaxObjects", toInt(&l.MaxObjectsInSet))
	number("Jmap", "maxConcurrentUploads", toInt(&l.MaxConcurrentUpload))
	number("Jmap", "maxUploadSize", toInt64(&l.MaxSizeUpload))
	number("Jmap", "maxUploadCount", toInt(&l.UploadQuotaFiles))
	number("Jmap", "uploadQuota", toInt64(&l.UploadQuotaBytes))
	number("Jmap", "uploadTtl", func(n int64) { l.UploadTTL = max(time.Second, time.Duration(n)*time.Millisecond) })
	number("Email", "maxMailboxes", func(n int64) {
		if l.MaxMailboxes = int(n); n < 0 {
			l.MaxMailboxes = 1<<31 - 1
		}
	})
	number("Email", "maxMailboxDepth", toInt(&l.MaxMailboxDepth))
	number("Email", "maxMailboxNameLength", toInt(&l.MaxMailboxNameLength))
	number("Jmap", "parseLimitEvent", toInt(&l.ParseLimitEvent))
	number("Calendar", "maxICalendarSize", toInt64(&l.MaxICalendarSize))
	number("AddressBook", "maxVCardSize", toInt64(&l.MaxVCardSize))
	number("WebDav", "requestMaxSize", toInt64(&l.MaxDAVRequest))
	number("WebDav", "maxResults", toInt(&l.MaxDAVResults))
	number("Sharing", "maxShares", toInt(&l.MaxShares))
	number("DataRetention", "maxChangesHistory", toInt(&l.MaxChangesHistory))
}
