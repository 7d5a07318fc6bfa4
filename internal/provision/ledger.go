package provision

import (
	"context"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
)

func row(w destination.Written) ledger.Provisioned {
	return ledger.Provisioned{Kind: string(w.Kind), Subject: w.Subject, Property: w.Property, Item: w.Item, Value: w.Value}
}

func written(ctx context.Context, l *ledger.Ledger) ([]destination.Written, error) {
	rows, err := l.Provisioned(ctx)
	out := make([]destination.Written, len(rows))
	for i, r := range rows {
		out[i] = destination.Written{Kind: destination.Kind(r.Kind), Subject: r.Subject, Property: r.Property, Item: r.Item,
			Value: r.Value, Intended: r.Intended, Before: r.Before, Had: r.Had}
	}
	return out, err
}

// arrived tells how much of each account has arrived: an account is through
// when its last run left nothing to do.
func arrived(ctx context.Context, l *ledger.Ledger) (func(login string) (int64, bool), error) {
	statuses, err := l.Statuses(ctx)
	if err != nil {
		return nil, err
	}
	type at struct {
		octets int64
		all    bool
	}
	of := make(map[string]at, len(statuses))
	for _, s := range statuses {
		of[s.Login] = at{s.Octets, s.State == "done" || s.State == "unchanged"}
	}
	return func(login string) (int64, bool) { return of[login].octets, of[login].all }, nil
}
