package engagement

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"mailhaul.org/mailhaul/internal/model"
)

// lock claims a file until unlock or the end of the process, however that
// comes. The file says who has it.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, model.Faultf(model.ClassFatal, "", "the engagement's lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		who, _ := io.ReadAll(io.LimitReader(f, 64))
		f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, model.Faultf(model.ClassFatal, "", "the engagement's lock: %w", err)
		}
		return nil, &model.Fault{Class: model.ClassFatal, Code: "locked",
			Err:    fmt.Errorf("another mailhaul works on this engagement (process %s)", strings.TrimSpace(string(who))),
			Remedy: "wait for it or stop it; `mailhaul status` can be used meanwhile"}
	}
	_ = f.Truncate(0)
	_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
	return func() {
		// A program that is being started at this moment holds the file, too, until
		// it has become another: closing it here alone would leave it locked.
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
		f.Close()
	}, nil
}
