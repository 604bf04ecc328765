package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// confinedFS is the disk, reduced to some folders. Symbolic links are resolved before a path is judged.
type confinedFS struct {
	disk  filesys.FileSystem
	roots []string
}

// newConfinedFS allows the given folders; the first one is named in errors.
func newConfinedFS(roots ...string) (*confinedFS, error) {
	resolved := make([]string, 0, len(roots))
	for _, root := range roots {
		path, err := filepath.EvalSymlinks(root)
		if err != nil {
			return nil, err
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		resolved = append(resolved, path)
	}
	return &confinedFS{disk: filesys.MakeFsOnDisk(), roots: resolved}, nil
}

func (c *confinedFS) check(operation, path string) error {
	real, err := resolve(path)
	if err != nil {
		return err
	}
	for _, root := range c.roots {
		if isInOrBelow(real, root) {
			return nil
		}
	}
	return &fs.PathError{
		Op:   "fs-security-constraint " + operation,
		Path: path,
		Err:  fmt.Errorf("path '%s' is not in or below '%s'", path, c.roots[0]),
	}
}

// resolve follows the links of the longest existing part of path; a link that leads to nothing is followed too.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rest := ""
	for hops := 0; hops < 255; hops++ {
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		if target, err := os.Readlink(path); err == nil {
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(path), target)
			}
			path = target
			continue
		}
		parent := filepath.Dir(path)
		if parent == path {
			break
		}
		rest = filepath.Join(filepath.Base(path), rest)
		path = parent
	}
	return "", fmt.Errorf("too many links in '%s'", path)
}

func isInOrBelow(path, root string) bool {
	return path == root || root == "/" || strings.HasPrefix(path, root+string(filepath.Separator))
}

func (c *confinedFS) Create(path string) (filesys.File, error) {
	if err := c.check("create", path); err != nil {
		return nil, err
	}
	return c.disk.Create(path)
}

func (c *confinedFS) Mkdir(path string) error {
	if err := c.check("mkdir", path); err != nil {
		return err
	}
	return c.disk.Mkdir(path)
}

func (c *confinedFS) MkdirAll(path string) error {
	if err := c.check("mkdir", path); err != nil {
		return err
	}
	return c.disk.MkdirAll(path)
}

func (c *confinedFS) RemoveAll(path string) error {
	if err := c.check("remove", path); err != nil {
		return err
	}
	return c.disk.RemoveAll(path)
}

func (c *confinedFS) Open(path string) (filesys.File, error) {
	if err := c.check("open", path); err != nil {
		return nil, err
	}
	return c.disk.Open(path)
}

func (c *confinedFS) IsDir(path string) bool {
	return c.check("isdir", path) == nil && c.disk.IsDir(path)
}

func (c *confinedFS) ReadDir(path string) ([]string, error) {
	if err := c.check("open", path); err != nil {
		return nil, err
	}
	return c.disk.ReadDir(path)
}

// CleanedAbs asks the disk first: a place that does not exist is reported as such, wherever it is.
func (c *confinedFS) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	dir, file, err := c.disk.CleanedAbs(path)
	if err != nil {
		return dir, file, err
	}
	if err := c.check("abs", filepath.Join(dir.String(), file)); err != nil {
		return "", "", err
	}
	return dir, file, nil
}

func (c *confinedFS) Exists(path string) bool {
	return c.check("exists", path) == nil && c.disk.Exists(path)
}

func (c *confinedFS) Glob(pattern string) ([]string, error) {
	found, err := c.disk.Glob(pattern)
	if err != nil {
		return nil, err
	}
	for _, path := range found {
		if err := c.check("glob", path); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (c *confinedFS) ReadFile(path string) ([]byte, error) {
	if err := c.check("open", path); err != nil {
		return nil, err
	}
	return c.disk.ReadFile(path)
}

func (c *confinedFS) WriteFile(path string, data []byte) error {
	if err := c.check("open", path); err != nil {
		return err
	}
	return c.disk.WriteFile(path, data)
}

func (c *confinedFS) Walk(path string, visit filepath.WalkFunc) error {
	if err := c.check("walk", path); err != nil {
		return err
	}
	return c.disk.Walk(path, func(path string, info os.FileInfo, err error) error {
		if refused := c.check("walk", path); refused != nil {
			return refused
		}
		return visit(path, info, err)
	})
}
