package report

import (
	"fmt"
	"io"
	"time"

	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/plural"
)

// Status prepares statuses for WriteJSON.
func Status(all []ledger.AccountStatus) any {
	return struct {
		Accounts []ledger.AccountStatus `json:"accounts"`
	}{all}
}

// StatusTable writes where every account stands.
func StatusTable(w io.Writer, all []ledger.AccountStatus, now time.Time) error {
	t := newTable("account", "state", ">mailboxes", ">moved", ">size", ">pending", ">refused", ">excluded", "last run", "verified", ">differences")
	sum := map[string]int64{}
	var mailboxes, octets int64
	states := map[string]int{}
	for _, a := range all {
		i := a.Items
		moved := i["moved"] + i["changed"] + i["vanished"] + i["detached"]
		pending := i["pending"] + i["intended"]
		differences := "–"
		if !a.LastVerify.IsZero() {
			differences = count(a.Differences)
		}
		t.row(a.Login, a.State, count(a.Mailboxes), count(moved), size(a.Octets), some(pending), some(i["refused"]), some(i["excluded"]),
			ago(a.LastRun, now), ago(a.LastVerify, now), differences)
		sum["moved"] += moved
		sum["pending"] += pending
		sum["refused"] += i["refused"]
		sum["excluded"] += i["excluded"]
		mailboxes += a.Mailboxes
		octets += a.Octets
		states[a.State]++
	}
	t.rule()
	t.row(plural.Count(len(all), "account"), "", count(mailboxes), count(sum["moved"]), size(octets), some(sum["pending"]), some(sum["refused"]),
		some(sum["excluded"]), "", "", "")
	if err := t.write(w); err != nil {
		return err
	}
	if err := statusObjects(w, all); err != nil {
		return err
	}
	for _, a := range all {
		if a.Error != "" {
			if _, err := fmt.Fprintf(w, "\n%s: %s\n", oneLine(a.Login), oneLine(a.Error)); err != nil {
				return err
			}
		}
	}
	return nil
}
