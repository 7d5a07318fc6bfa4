package sandbox

import "time"

// Limits are the settings that bound requests and accounts. A zero field of
// Options.Limits means the real server's default; -1 means none where the
// server can switch a limit off.
type Limits struct {
	MaxSizeUpload         int64         // octets of one HTTP upload; x:Jmap.maxUploadSize
	MaxConcurrentUpload   int           // per account of the login; -1 none
	MaxSizeRequest        int64         // octets
	MaxConcurrentRequests int           // per account of the login; -1 none
	MaxCallsInRequest     int           // method calls
	MaxObjectsInGet       int           // objects
	MaxObjectsInSet       int           // objects
	QueryMaxResults       int           // ids
	ChangesMaxResults     int           // ids
	UploadQuotaFiles      int           // per window of UploadTTL and account uploaded to
	UploadQuotaBytes      int64         // same
	UploadTTL             time.Duration // life of a temporary blob
	RateAuthenticated     int           // requests per minute and account of the login; -1 none
	MaxMailboxes          int           // per account
	MaxMailboxDepth       int           // levels
	MaxMailboxNameLength  int           // octets; a name must be shorter
	MaxScriptSize         int64         // octets
	MaxScriptNameLength   int           // octets
	MaxScripts            int           // per account
	MaxShares             int           // accounts that one mailbox, calendar, book or file is shared with
	ParseLimitEvent       int           // blobs of one CalendarEvent/parse
	MaxICalendarSize      int64         // octets of a calendar object
	MaxVCardSize          int64         // octets of a card
	MaxDAVRequest         int64         // octets of a WebDAV request
	MaxDAVResults         int           // resources in a WebDAV answer
	MaxChangesHistory     int           // log entries that DailyMaintenance leaves
}

// defaultLimits are those of Stalwart 0.16.18.
var defaultLimits = Limits{
	MaxSizeUpload:         50_000_000,
	MaxConcurrentUpload:   4,
	MaxSizeRequest:        10_000_000,
	MaxConcurrentRequests: 4,
	MaxCallsInRequest:     16,
	MaxObjectsInGet:       500,
	MaxObjectsInSet:       500,
	QueryMaxResults:       5000,
	ChangesMaxResults:     5000,
	UploadQuotaFiles:      1000,
	UploadQuotaBytes:      50_000_000,
	UploadTTL:             time.Hour,
	RateAuthenticated:     1000,
	MaxMailboxes:          250,
	MaxMailboxDepth:       10,
	MaxMailboxNameLength:  255,
	MaxScriptSize:         102_400,
	MaxScriptNameLength:   512,
	MaxScripts:            100,
	MaxShares:             10,
	ParseLimitEvent:       10,
	MaxICalendarSize:      512 << 10,
	MaxVCardSize:          512 << 10,
	MaxDAVRequest:         25 << 20,
	MaxDAVResults:         2000,
	MaxChangesHistory:     10_000,
}

func (l Limits) withDefaults() Limits {
	d := defaultLimits
	set := func(have, def *int) {
		if *have == 0 {
			*have = *def
		}
	}
	set64 := func(have, def *int64) {
		if *have == 0 {
			*have = *def
		}
	}
	set64(&l.MaxSizeUpload, &d.MaxSizeUpload)
	set(&l.MaxConcurrentUpload, &d.MaxConcurrentUpload)
	set64(&l.MaxSizeRequest, &d.MaxSizeRequest)
	set(&l.MaxConcurrentRequests, &d.MaxConcurrentRequests)
	set(&l.MaxCallsInRequest, &d.MaxCallsInRequest)
	set(&l.MaxObjectsInGet, &d.MaxObjectsInGet)
	set(&l.MaxObjectsInSet, &d.MaxObjectsInSet)
	set(&l.QueryMaxResults, &d.QueryMaxResults)
	set(&l.ChangesMaxResults, &d.ChangesMaxResults)
	set(&l.UploadQuotaFiles, &d.UploadQuotaFiles)
	set64(&l.UploadQuotaBytes, &d.UploadQuotaBytes)
	if l.UploadTTL == 0 {
		l.UploadTTL = d.UploadTTL
	}
	set(&l.RateAuthenticated, &d.RateAuthenticated)
	set(&l.MaxMailboxes, &d.MaxMailboxes)
	set(&l.MaxMailboxDepth, &d.MaxMailboxDepth)
	set(&l.MaxMailboxNameLength, &d.MaxMailboxNameLength)
	set64(&l.MaxScriptSize, &d.MaxScriptSize)
	set(&l.MaxScriptNameLength, &d.MaxScriptNameLength)
	set(&l.MaxScripts, &d.MaxScripts)
	set(&l.MaxShares, &d.MaxShares)
	set(&l.ParseLimitEvent, &d.ParseLimitEvent)
	set64(&l.MaxICalendarSize, &d.MaxICalendarSize)
	set64(&l.MaxVCardSize, &d.MaxVCardSize)
	set64(&l.MaxDAVRequest, &d.MaxDAVRequest)
	set(&l.MaxDAVResults, &d.MaxDAVResults)
	set(&l.MaxChangesHistory, &d.MaxChangesHistory)
	return l
}

// limitsNow returns the limits in force; ReloadSettings may change them.
func (s *Server) limitsNow() Limits {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits
}

// gauge counts what is in flight, per account of the login.
type gauge map[uint32]int

// enter takes a place; it reports false when max are taken already.
func (g gauge) enter(account uint32, max int) bool {
	if max >= 0 && g[account] >= max {
		return false
	}
	g[account]++
	return true
}

func (g gauge) leave(account uint32) {
	if g[account]--; g[account] <= 0 {
		delete(g, account)
	}
}

// window is a fixed window of counted use, as the server's rate limits and
// its upload quota keep it.
type window struct {
	start int64 // number of the window
	count int
	bytes int64
}

// use counts one use and returns the totals of the present window and the
// seconds until it ends.
func (w *window) use(now time.Time, width time.Duration, bytes int64) (count int, total int64, left int64) {
	seconds := int64(width / time.Second)
	n := now.Unix() / seconds
	if w.start != n {
		*w = window{start: n}
	}
	w.count++
	w.bytes += bytes
	return w.count, w.bytes, (n+1)*seconds - now.Unix()
}
