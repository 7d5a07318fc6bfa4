package stalwart

import (
	"context"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// responseText is all of a response, to be compared.
func responseText(v model.Vacation) string {
	return strings.Join([]string{v.Subject, v.Text, utc(v.From), utc(v.Until)}, "\x00")
}

func (r vacationResponse) text() string {
	if !r.IsEnabled {
		return ""
	}
	return strings.Join([]string{text(r.Subject), text(r.TextBody), text(r.FromDate), text(r.ToDate)}, "\x00")
}

// utc is a JMAP UTCDate (RFC 8620 §1.4), or empty.
func utc(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// setVacation switches a response on. It puts any other script out of force,
// so that it is planned only where there is none.
func (d *Destination) setVacation(ctx context.Context, id string, v model.Vacation) error {
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	var got setAnswer
	err := call(ctx, d.client, capVacation, "VacationResponse/set", args{"accountId": id, "update": args{"singleton": args{
		"isEnabled": true, "subject": orNull(v.Subject), "textBody": orNull(v.Text), "htmlBody": nil,
		"fromDate": orNull(utc(v.From)), "toDate": orNull(utc(v.Until))}}}, &got)
	return orRefused(err, got.NotUpdated["singleton"])
}

func orRefused(err error, bad *jmap.SetError) error {
	if err == nil && bad != nil {
		return refusal(bad)
	}
	return err
}
