package dbox

import (
	"path/filepath"

	"mailhaul.org/mailhaul/internal/model"
)

// PrivateIndex is the path of the index that Dovecot keeps for one reader of a
// mailbox of others, below that reader's root (INDEXPVT=): as indexIn has it for
// INDEX=.
func (s *Store) PrivateIndex(c model.Collection, root string) string {
	const name = "dovecot.index.pvt"
	dir := filepath.Join(root, s.at.mailboxes, c.Native)
	within := filepath.Join(dir, s.at.messages, name)
	if without := filepath.Join(dir, name); s.at.byGUID || exists(without+".log") || !exists(within+".log") {
		return without
	}
	return within
}
