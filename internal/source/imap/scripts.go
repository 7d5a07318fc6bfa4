package imap

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/managesieve"
)

// scriptSlot waits for a connection's slot. While it waits, the account does
// not hold one: else all accounts might wait for one another.
func (st *Store) scriptSlot(ctx context.Context) (free func(), err error) {
	if free, ok := st.src.opts.Bound.Try(st.src.at.host); ok {
		return free, nil
	}
	st.drop() // made again when it is needed
	return st.src.slot(ctx)
}

// Scripts implements source.Scripts over ManageSieve, with the login of IMAP.
// Without a Sieve address there are none.
func (st *Store) Scripts(ctx context.Context) ([]model.Script, error) {
	o := st.src.opts
	if o.Sieve == "" {
		return nil, nil
	}
	l := managesieve.Login{Authenticate: st.acc.Login, Password: st.acc.Secret}
	if o.Master != "" {
		l = managesieve.Login{Authorize: st.acc.Login, Authenticate: o.Master, Password: o.Password}
		if o.Separator != "" {
			l.Authorize, l.Authenticate = "", st.acc.Login+o.Separator+o.Master
		}
	}
	free, err := st.scriptSlot(ctx)
	if err != nil {
		return nil, err
	}
	defer free()
	var c *managesieve.Client
	err = st.src.scripts.Await(ctx, st.src.sieve.addr, func() (err error) {
		c, err = managesieve.Dial(ctx, st.src.sieve.addr, o.TLS, o.Insecure, o.Throttle, l)
		return err
	})
	if err != nil {
		return nil, st.src.faultOf(st.acc, "", err)
	}
	defer c.Close()
	scripts, err := c.Scripts()
	if err != nil {
		return nil, st.src.faultOf(st.acc, "", err)
	}
	return scripts, nil
}
