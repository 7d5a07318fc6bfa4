package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/config"
	"mailhaul.org/mailhaul/internal/doveconf"
)

func (a *app) initCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use: "init", Short: "Write a commented mailhaul.yaml, filled in from what is found on a Dovecot host", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := discover(cmd.Context())
			if err != nil {
				a.tell("nothing could be learnt of a Dovecot here: " + err.Error())
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
				return fmt.Errorf("%s exists already; --force writes over it", a.file)
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
	return cmd
}

// discover asks a Dovecot on this host about itself.
func discover(ctx context.Context) (config.Found, error) {
	settings, err := doveconf.Find(ctx)
	if err != nil {
		return config.Found{}, err
	}
	return config.FromDovecot(settings.Facts(), "localhost"), nil
}
