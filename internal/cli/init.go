package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/config"
	"mailhaul.org/mailhaul/internal/courierconf"
	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/engagement"
)

func (a *app) initCommand() *cobra.Command {
	var force bool
	var cyrus, courier string
	cmd := &cobra.Command{
		Use: "init", Short: "Write a commented mailhaul.yaml, filled in from what is found on a Dovecot, Courier or Cyrus host", Args: cobra.NoArgs,
		Long: `Ask the Dovecot, Courier or Cyrus on this host about itself, and write what it
says into a commented mailhaul.yaml: how to read it, who exists, what a Postfix
beside it delivers to whom. Where there is none, the file holds examples. Nothing
else is written, and no password is.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := os.Stat(a.file); err == nil && !force {
				return exists(a.file)
			}
			found, err := discover(cmd.Context(), cyrus, courier)
			if err != nil {
				a.tell("nothing could be learnt of a mail server here: " + err.Error())
			}
			if found.Postfix = engagement.PostfixInstalled(); found.Postfix {
				found.Notes = append(found.Notes, "the Postfix on this host tells who receives what: look at it with mailhaul organisation")
			}
			for _, n := range found.Notes {
				a.tell("note: " + n)
			}
			var b bytes.Buffer
			if err := config.Draft(&b, found); err != nil {
				return err
			}
			flags := os.O_CREATE | os.O_WRONLY | os.O_EXCL
			if force {
				flags = os.O_CREATE | os.O_WRONLY | os.O_TRUNC
			}
			f, err := os.OpenFile(a.file, flags, 0o600)
			if errors.Is(err, os.ErrExist) {
				return exists(a.file)
			}
			if err != nil {
				return err
			}
			if _, err := f.Write(b.Bytes()); err != nil {
				f.Close()
				return err
			}
			if err := f.Close(); err != nil {
				return err
			}
			return a.show("init", map[string]any{"file": a.file, "found": found.What, "notes": found.Notes}, func(w io.Writer) error {
				what := found.What
				if what == "" {
					what = "nothing; it holds examples"
				}
				_, err := fmt.Fprintf(w, "wrote %s (found: %s)\nNext: look through it, then `mailhaul check`.\n", a.file, what)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "write over a file that exists")
	cmd.Flags().StringVar(&cyrus, "cyrus", "", "the imapd.conf `file` of a Cyrus (found by itself as "+usualCyrus+")")
	cmd.Flags().StringVar(&courier, "courier", "", "the `folder` of Courier's files, where it is none of the usual ones")
	return cmd
}

func exists(file string) error {
	return fmt.Errorf("%s exists already; --force writes over it, -c names another", file)
}

// usualCyrus is where Cyrus's configuration is.
const usualCyrus = "/etc/imapd.conf"

// discover asks the server that is named, else a Dovecot, a Cyrus or a Courier
// on this host about itself.
func discover(ctx context.Context, cyrus, courier string) (config.Found, error) {
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
	if _, serr := os.Stat(usualCyrus); serr == nil {
		return discoverCyrus(usualCyrus)
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
	public, err := engagement.CountPublic(settings.Layout())
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
