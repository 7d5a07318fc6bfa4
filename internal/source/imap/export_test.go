package imap

// AskForEach makes the source ask in many pieces for what has changed, as it does
// in large mailboxes.
func (s *Source) AskForEach() { s.changed = 1 }
