package maildir

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Courier keeps keywords apart from file names, in the folder
// courierimapkeywords (courier-libs maildir/README.imapkeywords.html): a file
// ":list" with those of all messages, and a file for each message whose
// keywords changed since, named as the message or, some minutes old,
// ".N.<message>" with N for the time. It merges the latter into ":list" when
// it opens the mailbox.

const courierList = ":list"

// courierKeywords calls each with the keywords of messages, of files and perhaps of
// others; what comes later counts. Files of updates are read before ":list": an
// update that vanishes meanwhile has been merged into that, or is found under its
// new name by another look.
func (p place) courierKeywords(dir string, files *listing, each func(base []byte, keywords []string) error) error {
	folder := filepath.Join(dir, courierKeywords)
	for range tries {
		names, err := p.names(folder)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nobody ever set one
		}
		if err != nil {
			return err
		}
		changed, err := p.courierUpdates(folder, latestUpdates(names), files)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		return p.courierList(folder, changed, each)
	}
	return fmt.Errorf("%s changes faster than it can be read; run again", folder)
}

// latestUpdates finds the newest file of updates for each message: the one
// with its plain name, else the one with the highest number.
func latestUpdates(names []string) map[string]string {
	out, number := map[string]string{}, map[string]uint64{}
	for _, name := range names {
		base, n, ok := parseUpdateName(name)
		if ok && n >= number[base] {
			out[base], number[base] = name, n
		}
	}
	return out
}

// parseUpdateName reads "<base>" and ".N.<base>"; the plain name counts as the
// highest number. Others are temporary files, and ":list".
func parseUpdateName(name string) (base string, n uint64, ok bool) {
	rest, aged := strings.CutPrefix(name, ".")
	if !aged {
		return name, 1<<64 - 1, name != courierList && name != ""
	}
	number, base, ok := strings.Cut(rest, ".")
	n, err := strconv.ParseUint(number, 10, 63)
	return base, n, ok && err == nil && n > 0 && base != "" && number[0] != '+'
}

// courierUpdates reads the updates of what is in files. fs.ErrNotExist means that
// one has been moved meanwhile.
func (p place) courierUpdates(folder string, updates map[string]string, files *listing) (map[string][]string, error) {
	changed := map[string][]string{}
	for base, name := range updates {
		if _, ok, err := files.lookup([]byte(base)); err != nil || !ok {
			if err != nil {
				return nil, err
			}
			continue
		}
		f, err := p.open(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		changed[base], err = parseKeywordLines(f)
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// courierList reads the list, and tells what it says before what has changed since.
func (p place) courierList(folder string, changed map[string][]string, each func(base []byte, keywords []string) error) error {
	spelling := spellings{}
	f, err := p.open(filepath.Join(folder, courierList))
	if err == nil {
		err = parseKeywordList(f, spelling, each)
		f.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, base := range slices.Sorted(maps.Keys(changed)) {
		if err := each([]byte(base), spelling.all(changed[base])); err != nil {
			return err
		}
	}
	return nil
}

// maxKeywordLine bounds a line of a keyword file: a file name and a number for
// each keyword.
const maxKeywordLine = 1 << 20

func keywordScanner(r io.Reader) *bufio.Scanner {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 4<<10), maxKeywordLine)
	return sc
}

// parseKeywordLines reads a message's own file: a keyword a line, none at all
// where the last was taken away.
func parseKeywordLines(r io.Reader) ([]string, error) {
	var out []string
	sc := keywordScanner(r)
	for sc.Scan() {
		if k := keywordShown(sc.Text()); k != "" {
			out = append(out, k)
		}
	}
	return out, sc.Err()
}

// parseKeywordList reads ":list": keywords, an empty line, and for each
// message "<base>:<number> <number>…", counted from 0. Numbers that lead
// nowhere are left out, as Courier does.
func parseKeywordList(r io.Reader, spelling spellings, each func(base []byte, keywords []string) error) error {
	var names []string
	sc := keywordScanner(r)
	for sc.Scan() && sc.Text() != "" {
		names = append(names, spelling.of(keywordShown(sc.Text())))
	}
	for sc.Scan() {
		base, numbers, ok := strings.Cut(sc.Text(), ":")
		if !ok || base == "" {
			continue
		}
		var keywords []string
		for _, number := range strings.FieldsFunc(numbers, func(r rune) bool { return r < '0' || r > '9' }) {
			if n, err := strconv.Atoi(number); err == nil && n < len(names) && names[n] != "" {
				keywords = append(keywords, names[n])
			}
		}
		if err := each([]byte(base), spelling.all(keywords)); err != nil {
			return err
		}
	}
	return sc.Err()
}

// keywordShown is a keyword as Courier tells it over IMAP: what no IMAP atom
// may hold, which a filter can have written, is an underscore there.
func keywordShown(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(` (){%*"\]`, r) {
			return '_'
		}
		return r
	}, s)
}

// spellings are the keywords of a mailbox by their lower case: the first
// spelling of a keyword is that of all.
type spellings map[string]string

func (s spellings) of(keyword string) string {
	lower := strings.ToLower(keyword)
	if first, ok := s[lower]; ok {
		return first
	}
	s[lower] = keyword
	return keyword
}

// all is sorted, and without what is the same but for its case.
func (s spellings) all(keywords []string) []string {
	var out []string
	for _, k := range keywords {
		out = append(out, s.of(k))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
