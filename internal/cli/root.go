package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
)

// Streams are where a command writes.
type Streams struct {
	Out io.Writer // reports
	Err io.Writer // progress and errors
}

// app is one invocation.
type app struct {
	Streams
	version string
	file    string // -c
	json    bool
	verbose int
	now     func() time.Time
}

// Run executes the command line args, without the program's name, and
// returns the exit code.
func Run(ctx context.Context, s Streams, version string, args []string) int {
	a := &app{Streams: s, version: version, now: time.Now}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var quiet exit
	if err != nil && !errors.As(err, &quiet) {
		fmt.Fprintln(s.Err, "mailhaul: "+err.Error())
	}
	return exitCode(err)
}

func init() {
	cobra.EnableCommandSorting = false // the help names them in the order of a migration
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "mailhaul",
		Short: "Move a mail organisation into Stalwart, and prove that nothing was lost",
		Long: `mailhaul moves a whole organisation off its old mail server into Stalwart.

Run the commands in this order; every one can be repeated:

  init → check → assess → organisation → provision → sync --wave pilot → verify → share → sync → verify → share

Exit codes: 0 all well, 1 usage or configuration, 2 a server could not be
reached or refused the login, 3 some items were refused, 4 some accounts
failed, 5 verification found differences.`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w: `%s --help` names them all", err, cmd.CommandPath())
	})
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	f := root.PersistentFlags()
	f.StringVarP(&a.file, "config", "c", "mailhaul.yaml", "the engagement `file`")
	f.BoolVar(&a.json, "json", false, "one JSON document on stdout; progress goes to stderr")
	f.CountVarP(&a.verbose, "verbose", "v", "say more on stderr; twice for every request")
	root.AddCommand(a.initCommand(), a.checkCommand(), a.assessCommand(), a.organisationCommand(), a.provisionCommand(), a.syncCommand(),
		a.verifyCommand(), a.shareCommand(), a.statusCommand(), a.demoCommand(), a.versionCommand())
	return root
}

// log writes to stderr what -v asks for.
func (a *app) log() *slog.Logger {
	level := slog.LevelWarn
	switch {
	case a.verbose == 1:
		level = slog.LevelInfo
	case a.verbose > 1:
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{Level: level}))
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.show("version", map[string]string{"version": a.version}, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, "mailhaul "+a.version)
				return err
			})
		},
	}
}
