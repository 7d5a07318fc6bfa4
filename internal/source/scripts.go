package source

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
)

// Scripts is implemented by a Store that has Sieve scripts.
type Scripts interface {
	Scripts(ctx context.Context) ([]model.Script, error)
}

// ScriptSettings is implemented by a Store that can tell what surrounds the
// account's scripts: what the server runs for everybody, a response that it
// keeps beside them. It is asked once a run, after Scripts.
type ScriptSettings interface {
	ScriptSetting(ctx context.Context) (model.ScriptSetting, error)
}

// SettingOf asks the store what surrounds its scripts, or else site, which may
// be nil and speaks for the server as a whole.
func SettingOf(ctx context.Context, st Store, a model.Account, site func(context.Context, model.Account) (model.ScriptSetting, error)) (model.ScriptSetting, error) {
	if s, ok := st.(ScriptSettings); ok {
		return s.ScriptSetting(ctx)
	}
	if site == nil {
		return model.ScriptSetting{}, nil
	}
	return site(ctx, a)
}
