package engine_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/stalwart"
)

type object = map[string]any

// onEachServer runs a test against the sandbox and a real server.
func onEachServer(t *testing.T, test func(*env)) {
	t.Run("sandbox", func(t *testing.T) {
		t.Parallel()
		test(newEnv(t, sandbox.Options{}))
	})
	t.Run("Stalwart", func(t *testing.T) {
		t.Parallel()
		s := lab.StartStalwart(t)
		test(newEnvOn(t, stalwart.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword}, "anna@"+s.Domain))
	})
}

// A login that may upload only so much an hour stops with the remedy. Once the
// administrator has followed it, the next run ends exact.
func TestUploadQuota(t *testing.T) {
	t.Parallel()
	for _, size := range []string{"small", "large"} { // by Blob/upload, by HTTP
		t.Run(size, func(t *testing.T) {
			onEachServer(t, func(e *env) {
				e.admin("x:Jmap/set", object{"update": object{"singleton": object{"maxUploadCount": 15}}}, nil)
				e.admin("x:Action/set", object{"create": object{"r": object{"@type": "ReloadSettings"}}}, nil)
				mover := e.mover()
				e.dial(mover)
				for n := range 40 {
					body := message(n)
					if size == "large" {
						body = large(n)
					}
					e.src.Deliver("anna", "INBOX", body, model.Flags{}, day)
				}
				r := e.sync()
				if model.CodeOf(r.Err) != destination.CodeOverQuota || !strings.Contains(r.Error, "unlimitedUploads") || r.Counts.Refused != 0 {
					t.Fatalf("%v, %+v", r.Err, r.Counts)
				}
				e.grant(mover, "unlimitedUploads")
				e.dial(mover)
				e.done()
				e.exact()
			})
		})
	}
}

// mover makes a login that may do everything but upload without a limit.
func (e *env) mover() stalwart.Config {
	e.t.Helper()
	domain := e.acc.Address[strings.Index(e.acc.Address, "@")+1:]
	at := stalwart.Config{URL: e.at.URL, User: "mover@" + domain, Password: "another Long password 43"}
	var found struct{ IDs []string }
	e.admin("x:Domain/query", object{"filter": object{"name": domain}}, &found)
	e.admin("x:Account/set", object{"create": object{"m": object{"@type": "User", "name": "mover", "domainId": found.IDs[0],
		"credentials": object{"0": object{"@type": "Password", "secret": at.Password}},
		"permissions": object{"@type": "Merge", "enabledPermissions": object{"impersonate": true, "unlimitedRequests": true}, "disabledPermissions": object{}}}}}, nil)
	return at
}

func (e *env) grant(at stalwart.Config, permission string) {
	e.t.Helper()
	a, err := e.dst.Open(e.t.Context(), at.User)
	e.must(err)
	e.admin("x:Account/set", object{"update": object{a.ID(): object{"permissions/enabledPermissions/" + permission: true}}}, nil)
}

// An account whose room ends in the middle of an import stops with the remedy,
// and nobody else does. With more room the next run ends exact.
func TestAccountOverQuota(t *testing.T) {
	t.Parallel()
	onEachServer(t, func(e *env) {
		other := model.Account{Login: "bert", Address: strings.Replace(e.acc.Address, "anna", "bert", 1)}
		e.provision(other)
		e.fill("INBOX", 300)
		for n := range 50 {
			e.src.Deliver("bert", "INBOX", message(n), model.Flags{}, day)
		}
		room := func(octets int) {
			e.admin("x:Account/set", object{"update": object{e.account().ID(): object{"quotas/maxDiskQuota": octets}}}, nil)
		}
		room(len(message(0)) * 100)
		res, err := engine.Sync(e.t.Context(), e.options(), []model.Account{e.acc, other})
		e.must(err)
		anna, bert := res.Accounts[0], res.Accounts[1]
		if anna.Status != engine.StatusFailed || model.CodeOf(anna.Err) != destination.CodeOverQuota ||
			!strings.Contains(anna.Error, "raise or lift") || anna.Counts.Refused != 0 {
			e.t.Errorf("anna: %+v", anna)
		}
		if bert.Status != engine.StatusDone || bert.Counts.Messages != 50 {
			e.t.Errorf("bert: %+v", bert)
		}
		if rep := e.verify(); rep.Missing == 0 || rep.Identical != anna.Counts.Messages || rep.Identical+rep.Missing != 300 || rep.Refused != 0 {
			e.t.Errorf("stopped, the report says %+v of %d imported", rep.Counts, anna.Counts.Messages)
		}
		room(1 << 30)
		e.done()
		e.exact()
	})
}

// Uploads may be gone when they are to be imported: some of a batch, or all.
func TestExpiredUploads(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]func(n int) bool{
		"some": func(n int) bool { return n%3 == 0 }, "all": func(int) bool { return true },
		"all but one": func(n int) bool { return n != 30 }, "one": func(n int) bool { return n == 30 },
	} {
		for _, times := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s %d times", name, times), func(t *testing.T) {
				t.Parallel()
				var s *sandbox.Server
				imports := 0
				e := newEnv(t, sandbox.Options{Intercept: func(c sandbox.Call) *sandbox.Fault {
					if c.Method == "Email/import" && !c.After {
						if imports++; imports <= times {
							for n, h := range c.Contents {
								if gone(n) {
									s.ExpireUploads(h)
								}
							}
						}
					}
					return nil
				}})
				s = e.server
				e.fill("INBOX", 60)
				e.src.Deliver("anna", "INBOX", large(1), model.Flags{}, day)
				e.src.Deliver("anna", "INBOX", "no header", model.Flags{}, day)
				if r := e.done(); r.Counts.Messages != 62 || r.Counts.Refused != 0 {
					t.Errorf("%+v %v", r.Counts, r.Notes)
				}
				e.exact()
				if imports < 2 {
					t.Errorf("only %d imports", imports)
				}
			})
		}
	}
}

// A destination that forgets uploads for good is not taken for one that
// refuses messages.
func TestUploadsThatNeverLast(t *testing.T) {
	t.Parallel()
	var s *sandbox.Server
	broken := true
	e := newEnvWith(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 10}, Intercept: func(c sandbox.Call) *sandbox.Fault {
		if c.Method == "Email/import" && !c.After && broken {
			for _, h := range c.Contents {
				s.ExpireUploads(h)
			}
		}
		return nil
	}}, impatience)
	s = e.server
	e.fill("INBOX", 10)
	if r := e.sync(); r.Err == nil || r.Counts.Refused != 0 {
		t.Errorf("%v, %+v", r.Err, r.Counts)
	}
	broken = false
	e.done()
	e.exact()
}

// The store fails in the middle of an import of a real size, and of the largest:
// what it holds already is found, and the rest is sent again.
func TestImportStopsHalfWay(t *testing.T) {
	t.Parallel()
	kinds := []struct {
		batch int
		fault sandbox.Fault
	}{
		{500, sandbox.Fault{Stop: 250, MethodError: "serverUnavailable"}}, {125, sandbox.Fault{Stop: 60, Drop: true}},
		{125, sandbox.Fault{Stop: 60}}, {500, sandbox.Fault{Stop: 250}},
		{500, sandbox.Fault{Stop: 123, MethodError: "serverFail"}}, {500, sandbox.Fault{Stop: 123, Drop: true}},
		{500, sandbox.Fault{Stop: 499, Status: 500}}, {500, sandbox.Fault{Stop: 1, Status: 503}},
		{500, sandbox.Fault{Stop: 499, MethodError: "serverPartialFail"}},
	}
	if testing.Short() {
		kinds = kinds[:2]
	}
	for _, kind := range kinds {
		t.Run(fmt.Sprintf("%d of %+v", kind.batch, kind.fault), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex // requests come side by side
			imports, stopped := 0, 0
			e := newEnv(t, sandbox.Options{Intercept: func(c sandbox.Call) *sandbox.Fault {
				if c.Method != "Email/import" || c.After {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				if imports++; stopped == 2 || len(c.Contents) < kind.batch {
					return nil
				}
				stopped++
				return &kind.fault
			}})
			e.fill("INBOX", 1980)
			for n := range 20 { // equal ones among them
				e.src.Deliver("anna", "INBOX", message(1), model.Flags{}, day.Add(time.Duration(n/2)*time.Hour))
			}
			if r := e.done(func(o *engine.Options) { o.WithBatch(kind.batch) }); r.Counts.Messages != 2000 {
				t.Errorf("%+v", r.Counts)
			}
			e.exact()
			if stopped != 2 || imports < 2000/kind.batch {
				t.Errorf("%d of %d imports stopped half way", stopped, imports)
			}
		})
	}
}
