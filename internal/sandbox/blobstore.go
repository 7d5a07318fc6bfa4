package sandbox

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/zeebo/blake3"
)

// blobStore keeps content by its BLAKE3 hash, together with the link records
// that decide who may read it: a blobId is honoured only if a record exists
// for exactly its hash and its account and expiry, or account and document.
// Its methods are called with the server's lock held.
type blobStore struct {
	dir    string
	memory map[[32]byte][]byte
	sizes  map[[32]byte]int64
	temp   map[tempLink]struct{}
	linked map[[32]byte]int // number of documents that hold the content
}

type tempLink struct {
	hash    [32]byte
	account uint32
	expires uint64
}

func newBlobStore(dir string) *blobStore {
	return &blobStore{
		dir:    dir,
		memory: map[[32]byte][]byte{},
		sizes:  map[[32]byte]int64{},
		temp:   map[tempLink]struct{}{},
		linked: map[[32]byte]int{},
	}
}

func hashOf(data []byte) [32]byte { return blake3.Sum256(data) }

func (b *blobStore) path(hash [32]byte) string {
	name := hex.EncodeToString(hash[:])
	return filepath.Join(b.dir, name[:2], name)
}

// put stores content unless it is there already.
func (b *blobStore) put(hash [32]byte, data []byte) error {
	if _, ok := b.sizes[hash]; ok {
		return nil
	}
	if b.dir != "" {
		path := b.path(hash)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path+".tmp", data, 0o600); err != nil {
			return err
		}
		if err := os.Rename(path+".tmp", path); err != nil {
			return err
		}
	} else {
		b.memory[hash] = data
	}
	b.sizes[hash] = int64(len(data))
	return nil
}

// get returns content, and false if there is none.
func (b *blobStore) get(hash [32]byte) ([]byte, bool, error) {
	if _, ok := b.sizes[hash]; !ok {
		return nil, false, nil
	}
	if b.dir == "" {
		return b.memory[hash], true, nil
	}
	data, err := os.ReadFile(b.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// keepTemporary records an upload and returns its blobId.
func (b *blobStore) keepTemporary(data []byte, account uint32, expires time.Time) (blobID, error) {
	hash := hashOf(data)
	if err := b.put(hash, data); err != nil {
		return blobID{}, err
	}
	until := uint64(expires.Unix())
	b.temp[tempLink{hash, account, until}] = struct{}{}
	return blobID{hash: hash, account: account, expires: until}, nil
}

func (b *blobStore) hasTemporary(id blobID, now time.Time) bool {
	_, ok := b.temp[tempLink{id.hash, id.account, id.expires}]
	return ok && id.expires > uint64(now.Unix())
}

func (b *blobStore) link(hash [32]byte) { b.linked[hash]++ }

func (b *blobStore) unlink(hash [32]byte) {
	if b.linked[hash]--; b.linked[hash] <= 0 {
		delete(b.linked, hash)
	}
}

// purge drops expired uploads and the content that nothing refers to.
func (b *blobStore) purge(now time.Time) {
	live := map[[32]byte]bool{}
	for t := range b.temp {
		if t.expires > uint64(now.Unix()) {
			live[t.hash] = true
		} else {
			delete(b.temp, t)
		}
	}
	for hash := range b.sizes {
		if live[hash] || b.linked[hash] > 0 {
			continue
		}
		delete(b.sizes, hash)
		delete(b.memory, hash)
		if b.dir != "" {
			_ = os.Remove(b.path(hash))
		}
	}
}
