package doveconf

import "slices"

// stored looks for what changes how messages and names are on disk.
func (f *Facts) stored(b *Block) {
	for _, key := range []string{"mail_attachment_dir", "mail_ext_attachment_path"} { // 2.3, 2.4
		if v := b.Get(key); v != "" {
			f.Attachments = v
		}
	}
	if f.Escape = b.Get("mailbox_list_storage_escape_char"); f.Escape != "" {
		return
	}
	plugins := b.enabled("mail_plugins")
	for _, p := range b.All("protocol") {
		plugins = append(plugins, p.enabled("mail_plugins")...)
	}
	if !slices.Contains(plugins, "listescape") {
		return
	}
	f.Escape = `\`
	for _, p := range b.All("plugin") {
		if v := p.Get("listescape_char"); v != "" {
			f.Escape = v
		}
	}
}
