package main

import (
	"os"
	"path/filepath"
	"sync"
)

// scratch is the private temporary folder of this process. Kustomize clones remote bases into it.
type scratch struct {
	once sync.Once
	base string
	path string
}

// newScratch only decides on the place; most runs never need the folder.
func newScratch() (*scratch, error) {
	base, err := filepath.EvalSymlinks(os.TempDir())
	if err != nil {
		return nil, err
	}
	return &scratch{base: base}, nil
}

// dir creates the folder at the first call and makes it the place of all temporary files of this process.
func (s *scratch) dir() (string, error) {
	var err error
	s.once.Do(func() {
		if s.path, err = os.MkdirTemp(s.base, "windlass-kustomize-"); err == nil {
			err = os.Setenv("TMPDIR", s.path)
		}
	})
	return s.path, err
}

func (s *scratch) remove() {
	if s.path != "" {
		_ = os.RemoveAll(s.path)
	}
}
