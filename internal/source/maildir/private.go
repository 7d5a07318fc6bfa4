package maildir

import (
	"path/filepath"

	"mailhaul.org/mailhaul/internal/model"
)

// PrivateIndex is the path of the index that Dovecot keeps for one reader of a
// mailbox of others, below that reader's root (INDEXPVT=).
func (s *Store) PrivateIndex(c model.Collection, root string) string {
	return filepath.Join(s.at.beside(root, c.Native), "dovecot.index.pvt")
}
