package lab

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Browser is Debian's Chromium without a window, for pages that people look
// at. It is started anew for each call, reads nothing but the page that it is
// given, and reaches no network.
type Browser struct {
	t    testing.TB
	root string
	dir  string
}

// browserPackages are the browser and a font to set pages in.
var browserPackages = []string{"chromium-headless-shell", "fontconfig-config", "fonts-dejavu-core"}

// StartBrowser makes one. The test is skipped where the packages cannot be had.
func StartBrowser(t testing.TB) *Browser {
	t.Helper()
	root := Debian(t, browserPackages...)
	mustOverlay(t, root)
	return &Browser{t: t, root: root, dir: t.TempDir()}
}

// Look is how a page is looked at.
type Look struct {
	Width, Height int // of the window, in CSS pixels
	Dark          bool
}

// Picture returns what the window shows.
func (b *Browser) Picture(page []byte, l Look) image.Image {
	b.t.Helper()
	file := filepath.Join(b.dir, "picture.png")
	b.run(page, l, "--screenshot="+file)
	f, err := os.Open(file)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		b.t.Fatal(err)
	}
	return img
}

// PDF prints the page.
func (b *Browser) PDF(page []byte) []byte {
	b.t.Helper()
	file := filepath.Join(b.dir, "page.pdf")
	b.run(page, Look{Width: 1280, Height: 900}, "--no-pdf-header-footer", "--print-to-pdf="+file)
	pdf, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal(err)
	}
	return pdf
}

// DOM returns the document as the browser understands it, after its scripts
// have run.
func (b *Browser) DOM(page []byte, l Look) string {
	b.t.Helper()
	return b.run(page, l, "--dump-dom")
}

func (b *Browser) run(page []byte, l Look, args ...string) string {
	b.t.Helper()
	file := filepath.Join(b.dir, "page.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		b.t.Fatal(err)
	}
	scheme := 1
	if l.Dark {
		scheme = 0
	}
	args = append([]string{
		"--no-sandbox", // it shows pages of our own, and runs in a namespace
		"--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
		"--user-data-dir=" + filepath.Join(b.dir, "profile"),
		"--host-resolver-rules=MAP * ~NOTFOUND",
		fmt.Sprintf("--blink-settings=preferredColorScheme=%d", scheme),
		fmt.Sprintf("--window-size=%d,%d", l.Width, l.Height),
	}, append(args, "file://"+file)...)
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	cmd := inside(b.root, "chromium-headless-shell", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(os.Environ(), "HOME="+b.dir, "XDG_CONFIG_HOME="+b.dir)
	if err := wait(ctx, cmd); err != nil {
		b.t.Fatalf("the browser: %v\n%s", err, stderr.Bytes())
	}
	return stdout.String()
}

// wait runs a command until it ends or the context does.
func wait(ctx context.Context, cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	if err := cmd.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}
