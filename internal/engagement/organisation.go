package engagement

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
)

// Organisation is who exists and who receives what.
func (e *Engagement) Organisation(ctx context.Context) (model.Organisation, error) {
	accounts, err := e.Accounts(ctx, nil, "")
	return model.Organisation{Accounts: accounts}, err
}
