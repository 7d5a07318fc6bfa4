package contentline

// Remark names one thing that was not as the format wants it, and what was
// done about it.
type Remark struct {
	// Code is short and stable: "charset", "folding", "uid" …
	Code string
	// Text says in words what was found and what was done.
	Text string
	// Line counts from 1 in the text as it was given; 0 where it concerns the
	// whole.
	Line int
	// UID names the object that it concerns; empty before objects are told
	// apart.
	UID string
}

// Codes of what this package repairs.
const (
	CodeCharset = "charset" // was not UTF-8
	CodeFolding = "folding" // blank lines, lone CR, base64 without indentation
	CodeControl = "control" // control characters, which no format allows
	CodeParam   = "parameter"
)
