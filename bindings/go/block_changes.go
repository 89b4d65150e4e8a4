package spillway

// blockChanges is how blocks are changed: each call in a transaction of its own, or all of them in
// one.
type blockChanges struct {
	blockReads
}

// change stands at the beginning of every method that changes something, and changed at the end if
// there was no error: a change may have to wait for the disk.
func (c *blockChanges) change() error {
	if err := c.enter(); err != nil {
		return err
	}
	c.file.changes.wait()
	return nil
}

func (c *blockChanges) changed() {
	c.file.changes.leave()
	c.exit()
}

// Put creates a block or replaces what it holds, and gives its new version, which is above every
// earlier one of the file; 0 within a transaction. Its tag stays. The data is copied.
func (c *blockChanges) Put(name string, data []byte) (version uint64, err error) {
	return c.PutIf(name, data, VersionAny)
}

// PutIf is Put if the block has the version expected, else ErrConflict, or ErrNotFound if there is
// none. [VersionNone]: if there is no such block, else ErrAlreadyExists.
func (c *blockChanges) PutIf(name string, data []byte, expected uint64) (version uint64, err error) {
	if err := c.change(); err != nil {
		return 0, err
	}
	defer c.changed()
	return rawBlockPut(c.file.raw, c.transaction(), name, data, expected)
}

// PutBatch puts the blocks of a batch, all or none, with one call into the library. Everything is
// copied: the batch may be reset and filled again; until then [BlockBatch.Version] tells the
// versions. Of two blocks with one name the last counts. Errors as of PutIf; Error.Index tells
// which block of the batch is to blame.
func (c *blockChanges) PutBatch(batch *BlockBatch) error {
	batch.makeVersions()
	if err := c.change(); err != nil {
		return err
	}
	defer c.changed()
	return rawBlockPutBatch(c.file.raw, c.transaction(), &batch.names, &batch.blocks,
		batch.expected, batch.versions)
}

// Append adds bytes at the end of a block, or creates it, and gives its new length. What stands
// there is not written again.
func (c *blockChanges) Append(name string, data []byte) (length uint64, err error) {
	if err := c.change(); err != nil {
		return 0, err
	}
	defer c.changed()
	return rawBlockAppend(c.file.raw, c.transaction(), name, data)
}

// Patch writes a range within a block. ErrInvalidArgument: it reaches beyond the block's end.
// ErrNotFound.
func (c *blockChanges) Patch(name string, offset uint64, data []byte) error {
	if err := c.change(); err != nil {
		return err
	}
	defer c.changed()
	return rawBlockPatch(c.file.raw, c.transaction(), name, offset, data)
}

// Delete deletes a block. ErrNotFound.
func (c *blockChanges) Delete(name string) error { return c.DeleteIf(name, VersionAny) }

// DeleteIf is Delete if the block has the version expected, else ErrConflict.
func (c *blockChanges) DeleteIf(name string, expected uint64) error {
	if err := c.change(); err != nil {
		return err
	}
	defer c.changed()
	return rawBlockDelete(c.file.raw, c.transaction(), name, expected)
}

// Rename gives a block another name; payload, tag and times stay, its version is a new one.
// ErrNotFound. ErrAlreadyExists: there is another of that name.
func (c *blockChanges) Rename(from, to string) error { return c.rename(from, to, 0) }

// RenameReplace is Rename that replaces a block of the new name.
func (c *blockChanges) RenameReplace(from, to string) error {
	return c.rename(from, to, renameReplace)
}

func (c *blockChanges) rename(from, to string, flags uint32) error {
	if err := c.change(); err != nil {
		return err
	}
	defer c.changed()
	return rawBlockRename(c.file.raw, c.transaction(), from, to, flags)
}

// SetTag replaces a block's tag: up to [BlockTagMax] bytes that the library does not interpret. The
// version is a new one. ErrNotFound. ErrTooBig.
func (c *blockChanges) SetTag(name string, tag []byte) error {
	if err := c.change(); err != nil {
		return err
	}
	defer c.changed()
	return rawBlockSetTag(c.file.raw, c.transaction(), name, tag)
}
