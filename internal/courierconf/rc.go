package courierconf

import (
	"bufio"
	"io"
	"strings"
)

// parseRC reads authmysqlrc, authpgsqlrc, authsqliterc and authldaprc: a name,
// blanks, and the value to the end of the line; a backslash at its end goes on
// in the next one. The last of several counts.
func parseRC(r io.Reader) (map[string]string, error) {
	out := map[string]string{}
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxFile)
	line := ""
	take := func() {
		text := strings.TrimSpace(line)
		line = ""
		if text == "" || text[0] == '#' {
			return
		}
		i := strings.IndexAny(text, " \t")
		if i < 0 {
			out[text] = ""
			return
		}
		out[text[:i]] = strings.TrimSpace(text[i:])
	}
	for sc.Scan() {
		text := strings.TrimRight(sc.Text(), " \t\r")
		if cut, more := strings.CutSuffix(text, `\`); more && !strings.HasPrefix(strings.TrimSpace(line+text), "#") {
			line += strings.TrimSpace(cut) + " "
			continue
		}
		line += strings.TrimSpace(text)
		take()
	}
	take()
	return out, sc.Err()
}
