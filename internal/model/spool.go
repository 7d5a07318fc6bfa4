package model

import (
	"fmt"
	"io"
)

// CodeSpool is the code of a SpoolFault.
const CodeSpool = "spool"

// SpoolFault is an error of the engagement's folder, where what is too much for
// memory lies for a while: it has no room, or may not be written. That stops the run.
func SpoolFault(err error) *Fault {
	return &Fault{Class: ClassFatal, Code: CodeSpool, Err: fmt.Errorf("keep on disk what is too much for memory: %w", err),
		Remedy: "give the engagement's folder more room, and let mailhaul write there"}
}

// SpoolTo writes to w, and makes a SpoolFault of each of its errors: where a source
// is copied to disk, the disk's errors are told from the source's.
func SpoolTo(w io.Writer) io.Writer { return spool{w} }

type spool struct{ w io.Writer }

func (s spool) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		err = SpoolFault(err)
	}
	return n, err
}
