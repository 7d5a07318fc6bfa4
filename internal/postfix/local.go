package postfix

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/postfix/table"
)

// maxInclude is far above any list in a file of :include:, in octets.
const maxInclude = 16 << 20

// localAliases are the entries of aliases(5), where the host's users are part of
// the organisation.
func (r *Router) localAliases(ctx context.Context, add func(directory.Alias)) error {
	keys := r.aliases.keys()
	if r.primary == "" {
		if len(keys) > 0 {
			r.note(model.Note{Level: model.LevelOK, Code: "host-aliases", Subject: r.hostDomain(), Where: "alias_maps", Text: fmt.Sprintf("%s of the host itself (%s) %s behind: nobody has an account there", plural.Count(len(keys), "alias"), some(keys), plural.Of(len(keys), "stays", "stay")),
				Remedy: "to take them along, set source.users.domain to that domain"})
		}
		return nil
	}
	for _, name := range keys {
		value, where, found, err := r.aliases.get(ctx, name)
		if err != nil {
			return err
		}
		if !found || strings.Contains(name, "@") {
			continue
		}
		address := name + "@" + r.primary
		var targets []string
		for _, t := range r.localTargets(address, value, where, 0) {
			if !slices.Contains(targets, t) {
				targets = append(targets, t)
			}
		}
		if len(targets) > 0 {
			add(directory.Alias{Address: address, Targets: targets, Where: where})
		}
	}
	if luser := r.settings.Get("luser_relay"); luser != "" {
		raw := r.settings.raw("luser_relay")
		switch target, ok := strings.CutPrefix(raw, "$user@"); {
		case ok && !strings.Contains(target, "$"):
			add(directory.Alias{Address: "@" + r.primary, Targets: []string{"@" + strings.ToLower(target)}, Where: "luser_relay"})
		case !strings.Contains(raw, "$"):
			add(directory.Alias{Address: "@" + r.primary, Targets: []string{r.localAddress(luser)}, Where: "luser_relay"})
		default:
			r.note(model.Note{Level: model.LevelWarning, Code: "luser-relay", Subject: raw, Where: "luser_relay", Text: "what nobody has goes to an address that is made of the recipient's", Remedy: "choose one address as the catch-all"})
		}
	}
	return nil
}

func some(names []string) string {
	if len(names) > 4 {
		return strings.Join(names[:4], ", ") + " …"
	}
	return strings.Join(names, ", ")
}

// localTargets are what a value of aliases(5) leads to: addresses, those of
// local users in the host's domain. Programs and files are told as notes of
// the address, lists in files are read.
func (r *Router) localTargets(address, value, where string, depth int) (out []string) {
	for _, t := range SplitAddresses(value) {
		switch {
		case strings.HasPrefix(t, "|"):
			r.noteProgram(address, strings.TrimSpace(t[1:]), where)
		case strings.HasPrefix(t, "/"):
			r.note(model.Note{Level: model.LevelWarning, Code: "file", Subject: address, Where: where, Text: "its mail is appended to the file " + t,
				Remedy: "give it a mailbox, or leave it out"})
		case strings.HasPrefix(strings.ToLower(t), ":include:"):
			if depth > 10 {
				r.note(model.Note{Level: model.LevelWarning, Code: "include", Subject: address, Where: where, Text: "lists in files include one another: " + t, Remedy: "take one out"})
				continue
			}
			path := t[len(":include:"):]
			list, err := readInclude(r.tables.Path(path))
			if err != nil {
				r.note(model.Note{Level: model.LevelStop, Code: "include", Subject: address, Where: where, Text: fmt.Sprintf("its members are in a file that cannot be read: %v", err),
					Remedy: "make it readable for mailhaul, or copy it here"})
				continue
			}
			out = append(out, r.localTargets(address, list, where+", "+path, depth+1)...)
		default:
			out = append(out, r.localAddress(t))
		}
	}
	return out
}

// localAddress is an address within aliases(5): bare names are local users.
func (r *Router) localAddress(t string) string {
	t = plain(strings.TrimPrefix(t, `\`))
	if !strings.Contains(t, "@") {
		return r.fold(strings.ToLower(t) + "@" + r.hostDomain())
	}
	return r.fold(r.settings.qualify(t))
}

// hostDomain is a domain of the host's users.
func (r *Router) hostDomain() string {
	if r.primary != "" {
		return r.primary
	}
	if o := r.settings.origin(); r.local(o) {
		return o
	}
	if names := r.classes[classLocal].names; len(names) > 0 {
		return names[0]
	}
	return r.settings.origin()
}

// readInclude makes one value of a file of :include: (aliases(5)).
func readInclude(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var parts []string
	size := 0
	var failed error
	for _, line := range table.LogicalLines(f, &failed) {
		if size += len(line); size > maxInclude {
			return "", fmt.Errorf("%s has more than %d MiB", path, maxInclude>>20)
		}
		parts = append(parts, line)
	}
	return strings.Join(parts, ","), failed
}

// inline expands an address of the host's users whose domain is not carried by
// aliases(5), until only others are left: addresses elsewhere, and users without
// an alias. Programs are told as notes of subject.
func (r *Router) inline(ctx context.Context, subject, address string, seen map[string]bool) ([]string, error) {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || r.primary != "" || !r.local(address[at+1:]) {
		return []string{address}, nil
	}
	name, _ := extension(address[:at], r.delimiters)
	if seen[name] {
		return nil, nil
	}
	seen[name] = true
	value, where, found, err := r.aliases.get(ctx, name)
	if err != nil || !found {
		return []string{address}, err
	}
	var out []string
	for _, t := range r.localTargets(subject, value, where, 0) {
		if t == address { // the user himself, beside others
			out = append(out, t)
			continue
		}
		more, err := r.inline(ctx, subject, t, seen)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}
