package verify

import (
	"context"
	"slices"
)

// absent is a message that was moved and is no longer in its mailbox at the
// destination.
type absent struct {
	uid    uint64
	remote string
}

// lookFor asks where messages are that are not where they were put: filed
// elsewhere is a user's doing and kept, nowhere is missing.
func (v *account) lookFor(ctx context.Context, m *Mailbox, all []absent) error {
	for chunk := range slices.Chunk(all, rereadChunk) {
		ids := make([]string, len(chunk))
		for i, a := range chunk {
			ids[i] = a.remote
		}
		found, err := v.dst.Emails(ctx, ids)
		if err != nil {
			return err
		}
		for _, a := range chunk {
			if _, ok := found[a.remote]; ok {
				m.Kept++
				v.find(m.Name, uid(a.uid), "kept", "its user has filed it elsewhere at the destination")
				continue
			}
			m.Missing++
			v.find(m.Name, uid(a.uid), "missing", "was moved, but is no longer at the destination")
		}
	}
	return nil
}
