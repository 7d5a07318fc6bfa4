package engagement

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mailhaul.org/mailhaul/internal/config"
	"mailhaul.org/mailhaul/internal/courierconf"
	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/doveconf"
)

// UsualCyrus is where Cyrus's configuration is.
const UsualCyrus = "/etc/imapd.conf"

// Discover asks the server that is named (the imapd.conf of a Cyrus, the folder of
// a Courier's files), else a Dovecot, a Cyrus or a Courier on this host about
// itself. It only reads; what it finds is for config.Draft. The error says why
// nothing is known, and what was found beside is valid then, too.
func Discover(ctx context.Context, cyrus, courier string) (config.Found, error) {
	switch {
	case cyrus != "":
		return discoverCyrus(cyrus)
	case courier != "":
		return discoverCourier(courier)
	}
	found, err := discoverDovecot(ctx)
	if !errors.Is(err, doveconf.ErrNotInstalled) {
		return found, err
	}
	if _, serr := os.Stat(UsualCyrus); serr == nil {
		return discoverCyrus(UsualCyrus)
	}
	found, cerr := discoverCourier("")
	if errors.Is(cerr, courierconf.ErrNotInstalled) {
		cerr = fmt.Errorf("%w; %w", err, cerr)
	}
	return found, cerr
}

func discoverDovecot(ctx context.Context) (config.Found, error) {
	settings, err := doveconf.Find(ctx)
	if err != nil {
		return config.Found{}, err
	}
	facts := settings.Facts()
	found := config.FromDovecot(facts, "localhost")
	found.Master = masterIn(facts.Masters)
	if len(facts.OnlyDovecot) > 0 && !found.Databases && found.Passwd == "" {
		users, err := doveconf.Users(ctx)
		if err != nil {
			found.Notes = append(found.Notes, fmt.Sprintf("only Dovecot knows its users (%s), and it could not be asked: %v", strings.Join(facts.OnlyDovecot, ", "), err))
		}
		found.Users = users
	}
	return found, nil
}

func discoverCyrus(file string) (config.Found, error) {
	settings, err := cyrusconf.Read(file)
	if err != nil {
		return config.Found{}, err
	}
	if file, err = filepath.Abs(file); err != nil {
		return config.Found{}, err
	}
	public, err := CountPublic(settings.Layout())
	services, serr := cyrusconf.ReadServices(filepath.Join(filepath.Dir(file), "cyrus.conf"))
	found := config.FromCyrus(settings.Layout(), services, file, "localhost", public)
	if serr != nil {
		found.Notes = append(found.Notes, fmt.Sprintf("where the Cyrus listens is not known: %v", serr))
	}
	if err != nil {
		found.Notes = append(found.Notes, fmt.Sprintf("whether mailboxes belong to nobody could not be found out: %v", err))
	}
	return found, nil
}

func discoverCourier(folder string) (config.Found, error) {
	facts, err := courierconf.Find(folder)
	if err != nil {
		return config.Found{}, err
	}
	return config.FromCourier(facts), nil
}

// masterIn is the first user of the files of master users, or empty.
func masterIn(files []doveconf.PasswdFile) string {
	for _, p := range files {
		f, err := os.Open(p.Path)
		if err != nil {
			continue // the notes name it; another user may read it
		}
		defer f.Close()
		for a, err := range directory.ReadPasswd(f, directory.PasswdOptions{Name: p.Path}) {
			if err == nil && !a.Disabled {
				return a.Login
			}
		}
	}
	return ""
}
