package verify

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/vcard"
)

// Verdict is the outcome of comparing one object of both sides.
type Verdict uint8

const (
	// Exact: both mean the same.
	Exact Verdict = iota + 1
	// Explained: they differ in what docs/fidelity.md explains and no user
	// sees.
	Explained
	// Differs in what somebody sees.
	Differs
)

// ObjectJudge compares objects by what their user sees. It may be used
// concurrently.
type ObjectJudge struct {
	// Window is how far series are followed.
	Window icalendar.Window
	// Zone is where the user is; floating times are read in it.
	Zone *time.Location
}

// NewObjectJudge follows series through 24 months around now. The zone is the
// user's, an IANA or Windows name or a VTIMEZONE; UTC where it is empty or
// unknown.
func NewObjectJudge(now time.Time, zone string) ObjectJudge {
	j := ObjectJudge{Window: icalendar.Around(now, 24), Zone: time.UTC}
	name := icalendar.IANA(zone)
	if strings.Contains(zone, "BEGIN:VTIMEZONE") {
		name = icalendar.DefinedZone(zone)
	}
	if loc, err := time.LoadLocation(name); err == nil {
		j.Zone = loc
	}
	return j
}

// Judgement is what was found out about one object.
type Judgement struct {
	Verdict Verdict
	// Real and Explained are the differences in words, at most MaxWords each.
	Real, Explained []string
}

// MaxWords bounds the differences told of one object.
const MaxWords = 10

// Event compares two calendar objects.
func (j ObjectJudge) Event(source, destination icalendar.Part) Judgement {
	if source.Digest == destination.Digest && source.UID == destination.UID {
		return Judgement{Verdict: Exact}
	}
	var o Judgement
	for _, d := range icalendar.Differences(source, destination, j.Window, j.Zone) {
		o.tell(d.Explained != "", d.String())
	}
	return o.close()
}

// Card compares two cards.
func (j ObjectJudge) Card(source, destination vcard.Card) Judgement {
	if source.Digest == destination.Digest {
		return Judgement{Verdict: Exact}
	}
	var o Judgement
	for _, d := range vcard.Differences(source, destination) {
		o.tell(d.Explained != "", d.String())
	}
	return o.close()
}

func (o *Judgement) tell(explained bool, words string) {
	list := &o.Real
	if explained {
		list = &o.Explained
	}
	if len(*list) < MaxWords {
		*list = append(*list, words)
	}
}

func (o Judgement) close() Judgement {
	switch {
	case len(o.Real) > 0:
		o.Verdict = Differs
	case len(o.Explained) > 0:
		o.Verdict = Explained
	default:
		o.Verdict = Exact
	}
	return o
}

// Objects are the prepared objects of one text, by UID.
type Objects struct {
	Events map[string]icalendar.Part
	Cards  map[string]vcard.Card
}

// ReadObjects prepares a calendar resource or a file of cards. The error is an
// item Fault when it holds neither.
func ReadObjects(kind model.Kind, text []byte) (Objects, error) {
	switch kind {
	case model.KindCalendar:
		parts, _, err := icalendar.Prepare(text)
		o := Objects{Events: map[string]icalendar.Part{}}
		for _, p := range parts {
			o.Events[p.UID] = p
		}
		return o, err
	case model.KindContacts:
		cards, _, err := vcard.Prepare(text)
		o := Objects{Cards: map[string]vcard.Card{}}
		for _, c := range cards {
			o.Cards[c.UID] = c
		}
		return o, err
	}
	return Objects{}, model.Faultf(model.ClassItem, "kind", "%s has no text to compare", kind)
}

// HashFile hashes the octets of a file, as the destination does.
func HashFile(ctx context.Context, r io.Reader) (sum [32]byte, err error) {
	h := blake3.New()
	if _, err := io.Copy(h, readerWithContext{ctx, r}); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}

// readerWithContext ends with the context.
type readerWithContext struct {
	ctx context.Context
	r   io.Reader
}

func (r readerWithContext) Read(p []byte) (int, error) {
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
