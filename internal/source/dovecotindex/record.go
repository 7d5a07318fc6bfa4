package dovecotindex

import "slices"

// Record is what an index holds of one message.
type Record struct {
	UID   uint32
	Flags uint8
	// Pending: a client has expunged it and the server has not carried that out
	// yet: IMAP still shows the message to who had it selected.
	Pending bool

	in *rows
	i  int
}

func (r *rows) at(i int) Record {
	return Record{UID: r.uids[i], Flags: r.flags[i], Pending: r.pending[i], in: r, i: i}
}

func (r *rows) all(yield func(Record, error) bool) bool {
	for i := range r.uids {
		if !yield(r.at(i), nil) {
			return false
		}
	}
	return true
}

// Extension is what the index keeps for one purpose.
type Extension struct {
	Name    string
	ResetID uint32
	// Header is the extension's own data for the whole index.
	Header []byte
	// Size is that of each record's data in octets; 0: there is none.
	Size int

	number int
}

// Row is the data of a record of the same index. It must not be changed.
func (e *Extension) Row(r Record) []byte { return r.in.columns[e.number].row(r.i) }

// Keywords of a record, sorted, in the spelling that came first.
func (x *Index) Keywords(r Record) []string {
	e := x.Extension(keywordsName)
	if e == nil {
		return nil
	}
	var out []string
	for n, b := range e.Row(r) {
		for bit := 0; b != 0; bit, b = bit+1, b>>1 {
			if k := n*8 + bit; b&1 != 0 && k < len(x.keywords) {
				out = append(out, x.keywords[k])
			}
		}
	}
	slices.Sort(out)
	return out
}

// ModSeq of a record (RFC 7162), or 0 where the server does not count.
// Records from before it began to count all have the same.
func (x *Index) ModSeq(r Record) uint64 {
	e := x.Extension(modseqName)
	if e == nil || e.Size < 8 {
		return x.HighestModSeq
	}
	if n := x.Order.Uint64(e.Row(r)); n != 0 {
		return n
	}
	return x.HighestModSeq
}
