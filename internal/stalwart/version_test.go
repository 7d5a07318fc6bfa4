package stalwart_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// elder answers what a server before 0.16 is asked, as its documentation has
// it: a session without urn:stalwart:jmap, no x: methods, and principals at
// /api/principal. refuse is how it refuses the capability that it does not know.
func elder(t *testing.T, principals bool, refuse string) string {
	t.Helper()
	mux := http.NewServeMux()
	session := func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "admin" || password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		base := "http://" + r.Host
		fmt.Fprintf(w, `{"capabilities":{"urn:ietf:params:jmap:core":{"maxSizeUpload":50000000,"maxConcurrentUpload":4,"maxSizeRequest":10000000,"maxConcurrentRequests":4,"maxCallsInRequest":16,"maxObjectsInGet":500,"maxObjectsInSet":500},
			"urn:ietf:params:jmap:mail":{},"urn:ietf:params:jmap:blob":{}},"accounts":{"b":{"name":"admin","isPersonal":true,"isReadOnly":false,"accountCapabilities":{"urn:ietf:params:jmap:mail":{}}}},
			"primaryAccounts":{"urn:ietf:params:jmap:mail":"b","urn:ietf:params:jmap:core":"b"},"username":"admin","state":"x",
			"apiUrl":"%[1]s/jmap/","downloadUrl":"%[1]s/jmap/download/{accountId}/{blobId}/{name}?accept={type}","uploadUrl":"%[1]s/jmap/upload/{accountId}/","eventSourceUrl":"%[1]s/jmap/eventsource/?types={types}&closeafter={closeafter}&ping={ping}"}`, base)
	}
	mux.HandleFunc("GET /.well-known/jmap", session)
	mux.HandleFunc("GET /jmap/session", session)
	mux.HandleFunc("POST /jmap/", func(w http.ResponseWriter, _ *http.Request) {
		if strings.HasPrefix(refuse, "{\"type\"") {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprint(w, refuse)
	})
	if principals {
		mux.HandleFunc("GET /api/principal", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":{"items":[{"name":"admin","type":"individual"}],"total":1}}`)
		})
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// TestElderIsRefused: a Stalwart before 0.16 is recognised, by Check and before
// anything is planned, and the advice is to upgrade.
func TestElderIsRefused(t *testing.T) {
	t.Parallel()
	const unknownMethod = `{"methodResponses":[["error",{"type":"unknownMethod"},"0"]],"sessionState":"x"}`
	const unknownCapability = `{"type":"urn:ietf:params:jmap:error:unknownCapability","status":400,"detail":"urn:stalwart:jmap"}`
	for _, c := range []struct {
		name       string
		principals bool
		refuse     string
		want       string
	}{
		{"0.15, method unknown", true, unknownMethod, "Stalwart 0.15 or older"},
		{"0.15, capability unknown", true, unknownCapability, "Stalwart 0.15 or older"},
		{"another server", false, unknownMethod, "another server"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: elder(t, c.principals, c.refuse), User: "admin", Password: "secret", Retry: impatient})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			var found *model.Finding
			for _, f := range d.Check(t.Context()) {
				if f.Subject == "destination: version" {
					found = &f
				}
			}
			if found == nil || found.Level != model.LevelStop || !strings.Contains(found.Message, c.want) || !strings.Contains(found.Remedy, "0.16") {
				t.Errorf("the check says %+v", found)
			}
			_, err = d.Plan(t.Context(), []model.Account{{Login: "anna", Address: "anna@acme.test"}})
			wantCode := stalwart.CodeVersion
			if model.CodeOf(err) != wantCode || model.ClassOf(err) != model.ClassFatal || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("a plan: %v", err)
			}
		})
	}
}
