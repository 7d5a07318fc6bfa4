package stalwart

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// accountLimits are what bounds one account. The server checks the disk quota
// before each import; of the counts, only that of mailboxes bounds mail.
type accountLimits struct {
	Quotas struct {
		MaxDiskQuota int64
		MaxMailboxes int
	}
	UsedDiskQuota int64
}

// CheckAccounts implements destination.AccountChecker.
func (d *Destination) CheckAccounts(ctx context.Context, needs []destination.Need) []model.Finding {
	var mail struct{ MaxMailboxes, MaxMailboxDepth, MaxMailboxNameLength *int }
	_ = d.singleton(ctx, "x:Email", &mail) // Check says so where it is hidden
	limits, hidden, err := d.accountLimits(ctx, needs)
	if err != nil {
		return []model.Finding{finding(model.LevelWarning, "accounts", "", "their limits cannot be read: %v", err)}
	}
	var out []model.Finding
	var tight, many, deep []string
	missing, bounded, unseen := 0, 0, true
	for _, n := range needs {
		l, exists := limits[n.Address]
		unseen = unseen && n.Octets == 0
		switch {
		case !exists && !hidden[n.Address]:
			missing++
		case l.Quotas.MaxDiskQuota > 0:
			bounded++
			if n.Octets > 0 && l.UsedDiskQuota+n.Octets > l.Quotas.MaxDiskQuota {
				tight = append(tight, fmt.Sprintf("%s (%s to come, %s left)", n.Address, megabytes(n.Octets), megabytes(max(0, l.Quotas.MaxDiskQuota-l.UsedDiskQuota))))
			}
		}
		most := value(mail.MaxMailboxes)
		if l.Quotas.MaxMailboxes > 0 {
			most = l.Quotas.MaxMailboxes
		}
		if most > 0 && n.Mailboxes+ownMailboxes > most {
			many = append(many, fmt.Sprintf("%s (%d of %d)", n.Address, n.Mailboxes, most))
		}
		if most := value(mail.MaxMailboxDepth); most > 0 && n.Depth > most {
			deep = append(deep, fmt.Sprintf("%s (%d levels of %d)", n.Address, n.Depth, most))
		}
	}
	say := func(list []string, subject, remedy, format string) {
		if len(list) > 0 {
			out = append(out, finding(model.LevelWarning, subject, remedy, format, someOf(list)))
		}
	}
	say(tight, "disk quota", "raise quotas.maxDiskQuota of these accounts before they are moved, and set it again afterwards", "the mail does not fit: %s")
	say(many, "maxMailboxes", "`mailhaul check --fix` raises x:Email maxMailboxes; quotas.maxMailboxes of an account is raised there", "the source has more mailboxes than the account may have: %s")
	say(deep, "maxMailboxDepth", "raise x:Email maxMailboxDepth, or accept that the deepest levels are joined into one name", "the source's mailboxes are deeper than the account's may be: %s")
	if readable := len(needs) - missing - len(hidden); len(tight) == 0 && readable > 0 {
		text := fmt.Sprintf("%d of %s %s a disk quota", bounded, plural.Count(readable, "account"), plural.Of(bounded, "has", "have"))
		if bounded > 0 {
			text += "; an import stops where it is full"
			if unseen {
				text += ". What is to come is compared with it once a `mailhaul sync --dry-run` has seen it"
			}
		}
		out = append(out, finding(model.LevelOK, "disk quota", "", "%s", text))
	}
	if missing > 0 {
		out = append(out, finding(model.LevelOK, "accounts", "", "%d of %d %s", missing, len(needs), plural.Of(missing, "does not exist yet: `mailhaul provision` makes it", "do not exist yet: `mailhaul provision` makes them")))
	}
	if len(hidden) > 0 {
		out = append(out, finding(model.LevelWarning, "accounts", "run the check as an administrator", "the login may not read the quotas of %s", plural.Count(len(hidden), "account")))
	}
	return out
}

// ownMailboxes are those that the server makes by itself, as far as the
// source's may not go into them.
const ownMailboxes = 5

func value(p *int) int {
	if p == nil {
		return 0
	}
	return *p
}

func megabytes(n int64) string { return fmt.Sprintf("%d MB", (n+999_999)/1_000_000) }

// someOf names the first few of a list.
func someOf(list []string) string {
	const few = 5
	slices.Sort(list)
	if len(list) <= few {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:few], ", ") + fmt.Sprintf(" and %d more", len(list)-few)
}

// accountLimits reads the limits of those accounts that exist. hidden are
// those that the login may not look into.
func (d *Destination) accountLimits(ctx context.Context, needs []destination.Need) (limits map[string]accountLimits, hidden map[string]bool, err error) {
	addresses := make([]string, len(needs))
	for i, n := range needs {
		addresses[i] = n.Address
	}
	owners, err := d.owners(ctx, addresses)
	if err != nil {
		return nil, nil, err
	}
	byID := map[string][]string{}
	var ids []string
	for address, o := range owners {
		if len(byID[o.id]) == 0 {
			ids = append(ids, o.id)
		}
		byID[o.id] = append(byID[o.id], address)
	}
	limits, hidden = map[string]accountLimits{}, map[string]bool{}
	for _, part := range chunks(ids, d.getMax()) {
		var got struct {
			List []struct {
				ID string
				accountLimits
			}
		}
		err := call(ctx, d.client, capStalwart, "x:Account/get", args{"ids": part, "properties": []string{"id", "quotas", "usedDiskQuota"}}, &got)
		if model.CodeOf(err) == "forbidden" {
			for _, id := range part {
				for _, address := range byID[id] {
					hidden[address] = true
				}
			}
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		for _, a := range got.List {
			for _, address := range byID[a.ID] {
				limits[address] = a.accountLimits
			}
		}
	}
	return limits, hidden, nil
}
