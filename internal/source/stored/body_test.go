package stored

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"mailhaul.org/mailhaul/internal/source"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// dovecotLZ4 writes the container of iostream-lz4.h.
func dovecotLZ4(t testing.TB, text []byte) []byte {
	t.Helper()
	const chunk = 64 << 10
	out := binary.BigEndian.AppendUint32(bytes.Clone(magicLZ4), chunk)
	for len(text) > 0 {
		n := min(chunk, len(text))
		packed := make([]byte, lz4.CompressBlockBound(n))
		m, err := lz4.CompressBlock(text[:n], packed, nil)
		must(t, err)
		if m == 0 {
			t.Fatal("the sample does not compress")
		}
		out = append(binary.BigEndian.AppendUint32(out, uint32(m)), packed[:m]...)
		text = text[n:]
	}
	return out
}

func pack(t testing.TB, mk func(io.Writer) (io.WriteCloser, error), text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := mk(&b)
	must(t, err)
	_, err = w.Write(text)
	must(t, err)
	must(t, w.Close())
	return b.Bytes()
}

func contentOf(t testing.TB, b *Buffers, path string) (*source.Content, io.Closer, error) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	return b.Open(f)
}

func TestCompressed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var used Buffers
	small := []byte("Subject: x\n\nbody\n" + string(bytes.Repeat([]byte("abc "), 50)))
	large := append(bytes.Clone(small), bytes.Repeat([]byte("0123456789 lorem ipsum\n"), 150_000)...)
	for what, text := range map[string][]byte{"small": small, "large": large} {
		files := map[string][]byte{
			"plain": text,
			"gzip":  pack(t, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }, text),
			"zstd":  pack(t, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }, text),
			"xz":    pack(t, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }, text),
			"lz4":   dovecotLZ4(t, text),
			"frame": pack(t, func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil }, text),
		}
		if bz, err := exec.LookPath("bzip2"); err == nil {
			cmd := exec.Command(bz, "-c")
			cmd.Stdin = bytes.NewReader(text)
			out, err := cmd.Output()
			must(t, err)
			files["bzip2"] = out
		}
		for name, raw := range files {
			path := filepath.Join(dir, what+name)
			must(t, os.WriteFile(path, raw, 0o600))
			c, closer, err := contentOf(t, &used, path)
			if err != nil {
				t.Errorf("%s %s: %v", what, name, err)
				continue
			}
			got, err := io.ReadAll(c)
			closer.Close()
			if err != nil || !bytes.Equal(got, whole(text)) {
				t.Errorf("%s %s: %d octets, want %d: %v", what, name, len(got), len(whole(text)), err)
			}
			// Cut short, it is an error and not a shorter message.
			if name == "plain" {
				continue
			}
			must(t, os.WriteFile(path, raw[:len(raw)*2/3], 0o600))
			if c, closer, err = contentOf(t, &used, path); err == nil {
				_, err = io.ReadAll(c)
				closer.Close()
			}
			if err == nil {
				t.Errorf("%s %s: a truncated file was read without an error", what, name)
			}
		}
	}
}

// Whatever is in a file, reading it ends, with what was readable or an error.
func FuzzContent(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	text := []byte("Subject: x\n\nbody body body body body body body body\n")
	f.Add(text)
	f.Add(append(bytes.Clone(magicLZ4), noise...))
	f.Add(dovecotLZ4(f, text))
	f.Add(pack(f, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }, text))
	f.Add(pack(f, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }, text))
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(t.TempDir(), "m")
		must(t, os.WriteFile(path, raw, 0o600))
		c, closer, err := contentOf(t, new(Buffers), path)
		if err != nil {
			return
		}
		defer closer.Close()
		_, _ = io.Copy(io.Discard, io.LimitReader(c, 1<<20))
	})
}
