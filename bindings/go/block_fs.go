package spillway

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// BlockFS shows blocks as files, and the parts of their names between slashes as folders: an
// [fs.FS], [fs.StatFS], [fs.ReadFileFS] and [fs.ReadDirFS] for whatever takes one, over a file as
// it is now or over a snapshot or transaction, as long as that is open. Blocks whose names are no
// paths ([fs.ValidPath]) are not shown, nor is a block that has the name of a folder. Any
// goroutine, many at once. It has nothing to close.
type BlockFS struct {
	reads blockReads
}

// FS gives the blocks as a file system that can be read.
func (r *blockReads) FS() *BlockFS { return &BlockFS{*r} }

// Open opens a file, which is also an io.Seeker and io.ReaderAt, or a folder, which is an
// [fs.ReadDirFile].
func (f *BlockFS) Open(name string) (fs.File, error) {
	info, err := f.lookUp(name)
	if err == nil && info.IsDir() {
		return &openFolder{fs: f, info: info, name: name}, nil
	}
	var reader *BlockReader
	if err == nil {
		reader, err = f.reads.Reader(name)
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return openBlock{reader}, nil
}

// Stat tells about a file or folder; Sys gives the [BlockInfo] of a file.
func (f *BlockFS) Stat(name string) (fs.FileInfo, error) {
	info, err := f.lookUp(name)
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return info, nil
}

// ReadFile gives all that a file holds.
func (f *BlockFS) ReadFile(name string) ([]byte, error) {
	info, err := f.lookUp(name)
	if err == nil && info.IsDir() {
		err = errFolder
	}
	var data []byte
	if err == nil {
		data, err = f.reads.Read(make([]byte, 0, info.Size()), name)
	}
	if err != nil {
		return nil, pathError("read", name, err)
	}
	return data, nil
}

// ReadDir gives what is in a folder, in the order of names.
func (f *BlockFS) ReadDir(name string) ([]fs.DirEntry, error) {
	info, err := f.lookUp(name)
	if err == nil && !info.IsDir() {
		err = errNoFolder
	}
	var entries []fs.DirEntry
	if err == nil {
		entries, err = f.entries(name)
	}
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	return entries, nil
}

var (
	errFolder   = errors.New("it is a folder")
	errNoFolder = errors.New("it is no folder")
)

func pathError(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// lookUp: a folder comes first, as entries does.
func (f *BlockFS) lookUp(name string) (*fileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	folder := &fileInfo{name: path.Base(name), mode: fs.ModeDir | 0o555}
	if name == "." {
		// Nothing but a closed file is in the way of the root.
		_, err := f.reads.Exists("x")
		return folder, err
	}
	found := false
	err := f.walk(name, func(string, BlockInfo) bool { found = true; return false })
	if err != nil || found {
		return folder, err
	}
	info, err := f.reads.Stat(name)
	if err != nil {
		return nil, err
	}
	return fileInfoOf(info), nil
}

// walk visits what is in a folder: each block in it with its info, each folder in it once with
// none. In the order of the blocks' names, which is not that of the entries.
func (f *BlockFS) walk(folder string, visit func(name string, info BlockInfo) bool) error {
	prefix := folder + "/"
	if folder == "." {
		prefix = ""
	}
	list, err := f.reads.List(prefix, 0)
	if err != nil {
		return err
	}
	defer list.Close()
	for list.Next() {
		info := list.Info()
		if !fs.ValidPath(info.Name) || info.Name == "." {
			continue
		}
		name, _, isFolder := strings.Cut(info.Name[len(prefix):], "/")
		if isFolder {
			info = BlockInfo{}
		}
		if !visit(name, info) {
			return nil
		}
		if isFolder { // '0' is what follows '/'
			if err := list.Seek(prefix + name + "0"); err != nil {
				return err
			}
		}
	}
	return list.Err()
}

func (f *BlockFS) entries(folder string) ([]fs.DirEntry, error) {
	var all []*fileInfo
	err := f.walk(folder, func(name string, info BlockInfo) bool {
		if info.Name == "" {
			all = append(all, &fileInfo{name: name, mode: fs.ModeDir | 0o555})
		} else {
			all = append(all, fileInfoOf(info))
		}
		return true
	})
	slices.SortFunc(all, func(a, b *fileInfo) int {
		if order := strings.Compare(a.name, b.name); order != 0 || a.IsDir() == b.IsDir() {
			return order
		} else if a.IsDir() {
			return -1
		}
		return 1
	})
	all = slices.CompactFunc(all, func(a, b *fileInfo) bool { return a.name == b.name })
	entries := make([]fs.DirEntry, len(all))
	for i, each := range all {
		entries[i] = fs.FileInfoToDirEntry(each)
	}
	return entries, err
}

type fileInfo struct {
	name  string
	mode  fs.FileMode
	block BlockInfo
}

func fileInfoOf(block BlockInfo) *fileInfo { return &fileInfo{path.Base(block.Name), 0o444, block} }

func (i *fileInfo) Name() string       { return i.name }
func (i *fileInfo) Size() int64        { return int64(i.block.Length) }
func (i *fileInfo) Mode() fs.FileMode  { return i.mode }
func (i *fileInfo) ModTime() time.Time { return i.block.Modified }
func (i *fileInfo) IsDir() bool        { return i.mode.IsDir() }
func (i *fileInfo) Sys() any {
	if i.IsDir() {
		return nil
	}
	return i.block
}

type openBlock struct{ *BlockReader }

func (b openBlock) Stat() (fs.FileInfo, error) { return fileInfoOf(b.info), nil }

// openFolder gives the folder as it was at the first ReadDir.
type openFolder struct {
	fs      *BlockFS
	info    *fileInfo
	name    string
	listed  bool
	closed  bool
	entries []fs.DirEntry // those that are to come
}

func (d *openFolder) Stat() (fs.FileInfo, error) { return d.info, nil }

func (d *openFolder) Read([]byte) (int, error) { return 0, pathError("read", d.name, errFolder) }

func (d *openFolder) Close() error {
	d.closed = true
	return nil
}

func (d *openFolder) ReadDir(most int) (entries []fs.DirEntry, err error) {
	if d.closed {
		return nil, pathError("readdir", d.name, errClosed)
	}
	if !d.listed {
		if d.entries, err = d.fs.entries(d.name); err != nil {
			return nil, pathError("readdir", d.name, err)
		}
		d.listed = true
	}
	count := len(d.entries)
	if most > 0 {
		if count == 0 {
			return nil, io.EOF
		}
		count = min(count, most)
	}
	entries, d.entries = d.entries[:count:count], d.entries[count:]
	return entries, nil
}
