package lab

import (
	"context"
	"testing"

	"mailhaul.org/mailhaul/internal/jmap"
)

func TestStalwartServesJMAP(t *testing.T) {
	t.Parallel()
	s := StartStalwart(t)
	c, err := jmap.Dial(context.Background(), jmap.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !c.Session().Has("urn:ietf:params:jmap:mail") {
		t.Errorf("capabilities %v lack mail", c.Session().Capabilities)
	}
}
