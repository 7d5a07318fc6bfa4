package model_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"mailhaul.org/mailhaul/internal/model"
)

// A full disk stops the run and says so; what a source cannot give is its own error.
func TestSpoolTo(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here: ", err)
	}
	defer full.Close()
	_, err = io.Copy(model.SpoolTo(full), strings.NewReader("a message"))
	if model.ClassOf(err) != model.ClassFatal || model.CodeOf(err) != model.CodeSpool || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "more room") {
		t.Errorf("a full disk: %v", err)
	}
	lost := errors.New("connection lost")
	var kept strings.Builder
	if _, err := io.Copy(model.SpoolTo(&kept), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(lost))); err != lost || kept.String() != "half" {
		t.Errorf("a broken source: %v, kept %q", err, kept.String())
	}
}
