package cyrus

import (
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// damaged remembers what is carried although it is damaged, and logs it.
func (st *Store) damaged(c model.Collection, item, text string, err error) {
	d := model.Damage{Mailbox: strings.Join(c.Path, "/"), Item: item, Text: text}
	if err != nil {
		d.Text += ": " + err.Error()
	}
	if st.Tell(d) {
		st.src.log.Warn(d.Text, "account", st.acc.Login, "mailbox", c.Native, "item", item)
	}
}

var _ source.Damaged = (*Store)(nil)
