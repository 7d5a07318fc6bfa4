package table

import (
	"os"
	"strings"
)

// readParameters reads a file of "name = value" as main.cf and the .cf files of
// tables are written; the last of several values of a name holds.
func readParameters(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[string]string{}
	var failed error
	for _, line := range logicalLines(f, &failed) {
		name, value, ok := strings.Cut(line, "=")
		if ok {
			out[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return out, failed
}

// settings are those of an LDAP or SQL table: of its .cf file or, where its
// name is no path, of main.cf with that name before them.
type settings func(name string) string

func (o Options) settings(r Ref) (settings, error) {
	if strings.HasPrefix(r.Name, "/") || strings.HasPrefix(r.Name, ".") {
		values, err := readParameters(o.Path(r.Name))
		if err != nil {
			return nil, fault(r, "copy it here, or run mailhaul where it can be read (it may hold a password: as root)", "%w", err)
		}
		return func(name string) string { return values[name] }, nil
	}
	return func(name string) string {
		if o.Param == nil {
			return ""
		}
		return o.Param(r.Name + "_" + name)
	}, nil
}

// list is an explicit query that lists the table, or empty.
func (o Options) list(r Ref) string {
	for _, name := range []string{r.String(), "proxy:" + r.String(), r.Name} {
		if q, ok := o.Lists[name]; ok {
			return q
		}
	}
	return ""
}

// eligible tells whether a key is one that a table with these domains is asked
// for (mysql_table(5), domain): an address with a local part.
func eligible(key string, domains []string) bool {
	if len(domains) == 0 {
		return true
	}
	at := strings.LastIndexByte(key, '@')
	if at <= 0 {
		return false
	}
	for _, d := range domains {
		if strings.EqualFold(d, key[at+1:]) {
			return true
		}
	}
	return false
}

// expand fills a query, filter or base in, as Postfix does (mysql_table(5),
// QUERY): %s is the key, %u its local part, %d its domain, %1 to %9 the parts
// of the domain from its end. ok is false where the query has no meaning for
// the key and Postfix does not ask.
func expand(template, key string, quote func(string) string) (text string, ok bool) {
	at := strings.LastIndexByte(key, '@')
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		if template[i] != '%' || i+1 == len(template) {
			b.WriteByte(template[i])
			continue
		}
		i++
		switch c := template[i]; c {
		case '%':
			b.WriteByte('%')
		case 's', 'S':
			b.WriteString(quote(key))
		case 'u', 'U':
			local := key
			if at >= 0 {
				local = key[:at]
			}
			if local == "" {
				return "", false
			}
			b.WriteString(quote(local))
		case 'd', 'D':
			if at < 0 || at == len(key)-1 {
				return "", false
			}
			b.WriteString(quote(key[at+1:]))
		case '1', '2', '3', '4', '5', '6', '7', '8', '9':
			labels := strings.Split(key[at+1:], ".")
			n := int(c - '0')
			if at < 0 || n > len(labels) {
				return "", false
			}
			b.WriteString(quote(labels[len(labels)-n]))
		default: // Postfix refuses to start with it
			b.WriteByte('%')
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// format puts a value into result_format; ok is false where the value is left
// out.
func format(template, key, value string) (string, bool) {
	if value == "" {
		return "", false
	}
	if template == "" || template == "%s" {
		return value, true
	}
	// %S, %U and %D are of the key, the others of the value.
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		if template[i] != '%' || i+1 == len(template) {
			b.WriteByte(template[i])
			continue
		}
		i++
		of := value
		if c := template[i]; c == 'S' || c == 'U' || c == 'D' {
			of = key
		}
		text, ok := expand("%"+strings.ToLower(template[i:i+1]), of, func(s string) string { return s })
		if !ok {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), true
}
