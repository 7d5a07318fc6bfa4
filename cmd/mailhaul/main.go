// Command mailhaul moves whole organisations off their old mail servers into
// Stalwart. See README.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"mailhaul.org/mailhaul/internal/cli"
)

// version is set by the linker for releases.
var version = ""

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the program at once: nothing is lost by it.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, cli.Streams{Out: os.Stdout, Err: os.Stderr}, versionName(), os.Args[1:]))
}

// versionName is the linker's version, else what the build knows of itself.
func versionName() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "development"
	}
	return info.Main.Version
}
