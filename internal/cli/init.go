package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/config"
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
			found, err := engagement.Discover(cmd.Context(), cyrus, courier)
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
	cmd.Flags().StringVar(&cyrus, "cyrus", "", "the imapd.conf `file` of a Cyrus (found by itself as "+engagement.UsualCyrus+")")
	cmd.Flags().StringVar(&courier, "courier", "", "the `folder` of Courier's files, where it is none of the usual ones")
	return cmd
}

func exists(file string) error {
	return fmt.Errorf("%s exists already; --force writes over it, -c names another", file)
}
