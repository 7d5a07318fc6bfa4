package memory_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/memory"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

type harness struct {
	src     *memory.Source
	scripts []model.Script
}

func TestConformance(t *testing.T) {
	t.Parallel()
	sourcetest.Run(t, func(t *testing.T) sourcetest.Harness {
		h := &harness{src: memory.New()}
		h.src.AddAccount(h.Account())
		return h
	})
}

func (h *harness) Source() source.Source  { return h.src }
func (h *harness) Account() model.Account { return model.Account{Login: "anna"} }

func name(path []string) string { return strings.Join(path, "/") }

func (h *harness) uid(path []string, n int) uint64 { return h.src.UIDs("anna", name(path))[n] }

func (h *harness) Create(t *testing.T, path []string) {
	role := model.RoleNone
	if name(path) == "Sent" {
		role = model.RoleSent
	}
	for n := 1; n < len(path); n++ {
		h.src.AddMailbox("anna", name(path[:n]), model.RoleNone)
	}
	h.src.AddMailbox("anna", name(path), role)
}

func (h *harness) Append(t *testing.T, path []string, m []byte, flags model.Flags, received time.Time) {
	h.src.Deliver("anna", name(path), string(m), flags, received)
}

func (h *harness) SetFlags(t *testing.T, path []string, n int, flags model.Flags) {
	h.src.SetFlags("anna", name(path), h.uid(path, n), flags)
}

func (h *harness) Expunge(t *testing.T, path []string, n int) {
	h.src.Expunge("anna", name(path), h.uid(path, n))
}

func (h *harness) Move(t *testing.T, from []string, n int, to []string) {
	h.src.Move("anna", name(from), h.uid(from, n), name(to))
}

func (h *harness) Rename(t *testing.T, from, to []string) {
	h.src.Rename("anna", name(from), name(to))
}

func (h *harness) ResetUIDValidity(t *testing.T, path []string) {
	h.src.ResetUIDValidity("anna", name(path))
}

func (h *harness) Remove(t *testing.T, path []string) { h.src.RemoveMailbox("anna", name(path)) }

func (h *harness) Subscribe(t *testing.T, path []string) {
	// A mailbox in memory is subscribed from its beginning.
	st, err := h.src.Open(t.Context(), h.Account())
	if err != nil {
		t.Fatal(err)
	}
	cols, err := st.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cols {
		h.src.Subscribe("anna", c.Native, name(c.Path) == name(path))
	}
}

// AppendRaw: what is in memory is shown as it is.
func (h *harness) AppendRaw(t *testing.T, path []string, raw []byte) []byte {
	h.src.Deliver("anna", name(path), string(raw), model.Flags{}, time.Unix(1, 0))
	return raw
}

func (h *harness) PutScript(t *testing.T, s model.Script) {
	h.scripts = append(h.scripts, s)
	h.src.SetScripts("anna", h.scripts...)
}

// Snapshot is everything that a reader is told: there is nothing else.
func (h *harness) Snapshot(t *testing.T) string {
	st, err := h.src.Open(t.Context(), h.Account())
	if err != nil {
		t.Fatal(err)
	}
	cols, err := st.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := fmt.Sprint(cols)
	for _, c := range cols {
		for ch := range st.Changes(t.Context(), c, "") {
			s += fmt.Sprintln(ch)
		}
	}
	return s
}
