package sandbox

import (
	"strings"
	"testing"
)

var goodScripts = []string{
	"", "# nothing\n", `keep;`, "require [\"fileinto\", \"imap4flags\"];\r\nif header :contains \"Subject\" [\"a\", \"b\"] {\r\n  fileinto :flags \"\\\\Seen\" \"X\"; stop;\r\n} elsif anyof (true, not size :over 100K) { discard; } else { keep; }\r\n",
	"require \"vacation\"; vacation :days 7 text:\nI am away.\n..\n.\n;\n", "/* c */ if allof(address :is \"from\" \"a@b\", exists [\"X\"]) { redirect \"c@d\"; }",
	"require [\"variables\",\"regex\"]; set \"x\" \"y\";", `if not true {stop;}`,
}

var badScripts = map[string]string{
	"unknown extension": `require "vnd.dovecot.pipe";`,
	"not required":      `fileinto "X";`,
	"unknown command":   `frobnicate;`,
	"no semicolon":      `keep`,
	"open block":        `if true { keep;`,
	"closing brace":     `keep; }`,
	"open string":       `redirect "a`,
	"open list":         `require ["fileinto"`,
	"open comment":      `/* keep;`,
	"open text":         "require \"vacation\"; vacation text:\nx\n",
	"if without block":  `if true;`,
	"empty tests":       `if anyof () {keep;}`,
	"old notify":        `require "notify";`,
	"wild character":    `keep %;`,
}

func TestCompileSieve(t *testing.T) {
	t.Parallel()
	for _, s := range goodScripts {
		if err := compileSieve([]byte(s), 1000); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for name, s := range badScripts {
		if err := compileSieve([]byte(s), 1000); err == nil || !strings.Contains(err.Error(), "at line") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := compileSieve([]byte(strings.Repeat("#", 1001)), 1000); err != errScriptTooLong {
		t.Errorf("too long: %v", err)
	}
}

func FuzzCompileSieve(f *testing.F) {
	for _, s := range goodScripts {
		f.Add(s)
	}
	for _, s := range badScripts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { _ = compileSieve([]byte(s), 1<<20) })
}

func TestSieveScripts(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Limits: Limits{MaxScripts: 2}})
	_, id := b.user("anna")
	c := b.admin()
	src := "require \"fileinto\";\nfileinto \"X\";\n"
	set := func(args obj) tree { args["accountId"] = id; return c.call("SieveScript/set", args) }
	r := c.calls(
		"Blob/upload", obj{"accountId": id, "create": obj{"b": obj{"data": []any{obj{"data:asText": src}}}}},
		"SieveScript/set", obj{"accountId": id, "create": obj{"s": obj{"name": "main", "blobId": "#b"}}, "onSuccessActivateScript": "#s"},
	)
	s := r.str(1, 1, "created", "s", "id")
	if r.at(1, 1, "created", "s", "isActive").v != true {
		t.Fatalf("%v", r.v)
	}
	got := c.call("SieveScript/get", obj{"accountId": id, "ids": []string{s}}).at("list", 0)
	if got.str("name") != "main" || got.at("isActive").v != true {
		t.Errorf("script: %v", got.v)
	}
	if _, _, body := c.do("GET", "/jmap/download/"+id+"/"+got.str("blobId")+"/x", "", nil); string(body) != src {
		t.Errorf("content %q", body)
	}
	good, bad := c.upload(id, "keep;"), c.upload(id, "keep")
	for name, tc := range map[string]struct {
		create obj
		want   string
	}{
		"same name":     {obj{"name": "main", "blobId": good}, "alreadyExists"},
		"reserved name": {obj{"name": "Vacation", "blobId": good}, "forbidden"},
		"long name":     {obj{"name": strings.Repeat("x", 513), "blobId": good}, "invalidProperties"},
		"does not read": {obj{"name": "bad", "blobId": bad}, "invalidScript"},
		"no blob":       {obj{"name": "none"}, "invalidProperties"},
		"lost blob":     {obj{"name": "lost", "blobId": changeExpiry(t, good)}, "blobNotFound"},
		"too long":      {obj{"name": "long", "blobId": c.upload(id, strings.Repeat("#", 102401))}, "tooLarge"},
	} {
		if got := set(obj{"create": obj{"x": tc.create}}).str("notCreated", "x", "type"); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	if got := set(obj{"destroy": []string{s}}).str("notDestroyed", s, "type"); got != "scriptIsActive" {
		t.Errorf("destroy the active one: %q", got)
	}
	// Activation only if nothing of the call failed.
	r = set(obj{"create": obj{"x": obj{"name": "second", "blobId": good}, "y": obj{"name": "bad", "blobId": bad}}, "onSuccessActivateScript": "#x"})
	if active := c.call("SieveScript/query", obj{"accountId": id, "filter": obj{"isActive": true}}); active.str("ids", 0) != s {
		t.Errorf("active: %v after %v", active.v, r.v)
	}
	if got := set(obj{"create": obj{"x": obj{"name": "third", "blobId": good}}}).str("notCreated", "x", "type"); got != "overQuota" {
		t.Errorf("third script: %q", got)
	}
	set(obj{"update": obj{s: obj{"blobId": good}}, "onSuccessDeactivateScript": true})
	if active := c.call("SieveScript/query", obj{"accountId": id, "filter": obj{"isActive": true}}); active.size("ids") != 0 {
		t.Errorf("still active: %v", active.v)
	}
	if got := c.call("SieveScript/validate", obj{"accountId": id, "blobId": bad}).str("error", "type"); got != "invalidScript" {
		t.Errorf("validate: %q", got)
	}
	if got := c.call("SieveScript/validate", obj{"accountId": id, "blobId": good}).at("error").v; got != nil {
		t.Errorf("validate: %v", got)
	}
	if got := c.call("VacationResponse/get", obj{"accountId": id}).at("list", 0, "isEnabled").v; got != false {
		t.Errorf("vacation: %v", got)
	}
}
