package sample

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"time"
)

// File is a file of a user's storage.
type File struct {
	Path     []string // folders and name
	Modified time.Time
	size     int
	seed     [2]uint64
}

// Size is its length in octets.
func (f File) Size() int { return f.size }

// Content makes the octets.
func (f File) Content() []byte {
	r := rand.New(rand.NewPCG(f.seed[0], f.seed[1]))
	b := make([]byte, f.size)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

var (
	fileFolders = [][]string{nil, {"Documents"}, {"Documents", "2025"}, {"Documents", "Äußeres & Inneres"}, {"Pictures"}, {"Pictures", "Summer 2024"}, {"Projects", "a", "b", "c"}}
	fileNames   = []string{"report", "Übersicht", "notes from the meeting", "100% fertig", "plan (2)", "résumé", "写真", "a+b", "draft#1", "it's"}
	fileEndings = []string{".pdf", ".txt", ".odt", ".jpg", ".docx", ""}
)

// Files makes n files in some folders, most below 20 KiB, some empty, a few of
// up to 1 MiB. Equal arguments give equal files; no two have one path.
func Files(n int, seed uint64) iter.Seq[File] {
	return func(yield func(File) bool) {
		for i := range n {
			r := rand.New(rand.NewPCG(seed, uint64(i)^0xf11e))
			folder := fileFolders[r.IntN(len(fileFolders))]
			name := fmt.Sprintf("%s %d%s", fileNames[r.IntN(len(fileNames))], i, fileEndings[r.IntN(len(fileEndings))])
			size := r.IntN(20 << 10)
			switch r.IntN(100) {
			case 0:
				size = 0
			case 1, 2:
				size = r.IntN(1 << 20)
			}
			f := File{Path: append(append([]string(nil), folder...), name), size: size, seed: [2]uint64{seed, uint64(i)},
				Modified: eventsAround.Add(-time.Duration(r.IntN(1000*24)) * time.Hour)}
			if !yield(f) {
				return
			}
		}
	}
}
