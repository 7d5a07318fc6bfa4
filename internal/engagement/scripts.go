package engagement

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/pigeonhole"
)

// ScriptSetting reads the scripts that the old host runs around those of its
// users, once for all accounts. It returns nil where the file names none.
func (e *Engagement) ScriptSetting() (func(context.Context, model.Account) (model.ScriptSetting, error), error) {
	c := e.Config.Source.Sieve
	p := pigeonhole.Paths{Before: c.Before, After: c.After, Default: c.Default, Global: c.Global}
	if p.Empty() {
		return nil, nil
	}
	set, err := p.Read()
	if err != nil {
		return nil, err
	}
	return func(context.Context, model.Account) (model.ScriptSetting, error) { return set, nil }, nil
}
