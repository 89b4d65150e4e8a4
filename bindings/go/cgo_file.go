package spillway

// The raw layer of block files: every function, constant and struct of spillway_file.h, and what a
// store has to do with them; those that move whole files stand in cgo_transfer.go. The rules are
// those of cgo.go.

/*
#include <spillway.h>
*/
import "C"

import (
	"time"
	"unsafe"
)

type (
	fileHandle   = *C.spw_file
	txnHandle    = *C.spw_txn
	blobHandle   = *C.spw_blob
	listHandle   = *C.spw_list
	reportHandle = *C.spw_report
	readerHandle = *C.spw_reader
	writerHandle = *C.spw_writer

	fileStatsStruct = C.spw_block_stats
)

const (
	spwConflict                    = C.SPW_CONFLICT
	blockNameMax, blockTagMax      = C.SPW_BLOCK_NAME_MAX, C.SPW_BLOCK_TAG_MAX
	blobBytesMax                   = C.SPW_BLOB_BYTES_MAX
	versionAny, versionNone        = C.SPW_BLOCK_VERSION_ANY, C.SPW_BLOCK_VERSION_NONE
	optFileChecksum                = C.SPW_OPT_FILE_CHECKSUM
	optFileDirtyBytes              = C.SPW_OPT_FILE_DIRTY_BYTES
	optFileDirtyBlocks             = C.SPW_OPT_FILE_DIRTY_BLOCKS
	optFileCacheBytes              = C.SPW_OPT_FILE_CACHE_BYTES
	optFileGrowthBytes             = C.SPW_OPT_FILE_GROWTH_BYTES
	optFileJournalBytes            = C.SPW_OPT_FILE_JOURNAL_BYTES
	checksumXXH3, checksumSHA256   = C.SPW_CHECKSUM_XXH3, C.SPW_CHECKSUM_SHA256
	openReadOnly                   = C.SPW_OPEN_READ_ONLY
	flushCheckpoint, commitRelaxed = C.SPW_FLUSH_CHECKPOINT, C.SPW_COMMIT_RELAXED
	txnReadOnly, renameReplace     = C.SPW_TXN_READ_ONLY, C.SPW_RENAME_REPLACE
	listNamesOnly, verifyFull      = C.SPW_LIST_NAMES_ONLY, C.SPW_VERIFY_FULL
	vacuumFull, vacuumDryRun       = C.SPW_VACUUM_FULL, C.SPW_VACUUM_DRY_RUN
)

func rawFileLayouts() []layout {
	of := func(id C.int32_t) uintptr { return uintptr(C.spw_sizeof(id)) }
	return []layout{
		{"spw_block_info", C.sizeof_spw_block_info, of(C.SPW_STRUCT_BLOCK_INFO)},
		{"spw_block_view", C.sizeof_spw_block_view, of(C.SPW_STRUCT_BLOCK_VIEW)},
		{"spw_block_stats", C.sizeof_spw_block_stats, of(C.SPW_STRUCT_BLOCK_STATS)},
		{"spw_verify_summary", C.sizeof_spw_verify_summary, of(C.SPW_STRUCT_VERIFY_SUMMARY)},
		{"spw_problem", C.sizeof_spw_problem, of(C.SPW_STRUCT_PROBLEM)},
		{"spw_vacuum_result", C.sizeof_spw_vacuum_result, of(C.SPW_STRUCT_VACUUM_RESULT)},
		{"spw_transfer", C.sizeof_spw_transfer, of(C.SPW_STRUCT_TRANSFER)},
	}
}

// uint64sOf and pointerOf give a slice's elements to C; NULL for none.
func uint64sOf(values []uint64) *C.uint64_t {
	return (*C.uint64_t)(unsafe.Pointer(unsafe.SliceData(values)))
}

func pointerOf(bytes []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(bytes)) }

// ---- File and transactions ----

func rawFileOpen(path string, options optionsHandle, op opHandle) (fileHandle, error) {
	c := newCall()
	status := C.spw_file_open(bytesOf(path), C.size_t(len(path)), options, op, &c.file, &c.err)
	file := c.file
	return file, c.done(status)
}

func rawStoreFile(store storeHandle) (fileHandle, error) {
	c := newCall()
	status := C.spw_store_file(store, &c.file, &c.err)
	file := c.file
	return file, c.done(status)
}

func rawStoreCommit(store storeHandle, txn txnHandle, level FlushLevel, timeoutMs int64,
	op opHandle) error {
	c := newCall()
	return c.done(C.spw_store_commit(store, txn, C.int32_t(level), C.int64_t(timeoutMs), op, &c.err))
}

func rawFileClose(file fileHandle, flags uint32) error {
	c := newCall()
	return c.done(C.spw_file_close(file, C.uint32_t(flags), &c.err))
}

func rawFileFree(file fileHandle) { C.spw_file_free(file) }
func rawLeakedFiles() uint64      { return uint64(C.spw_leaked_files()) }

func rawFileFlush(file fileHandle, level FlushLevel) error {
	c := newCall()
	return c.done(C.spw_file_flush(file, C.int32_t(level), &c.err))
}

func rawTxnBegin(file fileHandle, flags uint32) (txnHandle, error) {
	c := newCall()
	status := C.spw_txn_begin(file, C.uint32_t(flags), &c.txn, &c.err)
	txn := c.txn
	return txn, c.done(status)
}

func rawTxnCommit(txn txnHandle, level FlushLevel) error {
	c := newCall()
	return c.done(C.spw_txn_commit(txn, C.int32_t(level), &c.err))
}

func rawTxnFree(txn txnHandle) { C.spw_txn_free(txn) }

// ---- Blocks ----

func rawBlockPut(file fileHandle, txn txnHandle, name string, data []byte,
	expected uint64) (uint64, error) {
	c := newCall()
	status := C.spw_block_put(file, txn, bytesOf(name), C.size_t(len(name)), pointerOf(data),
		C.uint64_t(len(data)), C.uint64_t(expected), &c.a, &c.err)
	version := uint64(c.a)
	return version, c.done(status)
}

// rawBlockPutBatch gives versions one entry per block, or is given nil.
func rawBlockPutBatch(file fileHandle, txn txnHandle, names, blocks *columns,
	expected, versions []uint64) error {
	c := newCall()
	return c.done(C.spw_block_put_batch(file, txn, (*C.char)(pointerOf(names.data)),
		C.uint64_t(len(names.data)), uint64sOf(names.offsets), pointerOf(blocks.data),
		C.uint64_t(len(blocks.data)), uint64sOf(blocks.offsets), C.size_t(names.count()),
		uint64sOf(expected), uint64sOf(versions), &c.err))
}

// rawBlockAppend says how long the block is then.
func rawBlockAppend(file fileHandle, txn txnHandle, name string, data []byte) (uint64, error) {
	c := newCall()
	status := C.spw_block_append(file, txn, bytesOf(name), C.size_t(len(name)), pointerOf(data),
		C.uint64_t(len(data)), &c.a, &c.err)
	length := uint64(c.a)
	return length, c.done(status)
}

func rawBlockPatch(file fileHandle, txn txnHandle, name string, offset uint64, data []byte) error {
	c := newCall()
	return c.done(C.spw_block_patch(file, txn, bytesOf(name), C.size_t(len(name)),
		C.uint64_t(offset), pointerOf(data), C.uint64_t(len(data)), &c.err))
}

func rawBlockDelete(file fileHandle, txn txnHandle, name string, expected uint64) error {
	c := newCall()
	return c.done(C.spw_block_delete(file, txn, bytesOf(name), C.size_t(len(name)),
		C.uint64_t(expected), &c.err))
}

func rawBlockRename(file fileHandle, txn txnHandle, from, to string, flags uint32) error {
	c := newCall()
	return c.done(C.spw_block_rename(file, txn, bytesOf(from), C.size_t(len(from)), bytesOf(to),
		C.size_t(len(to)), C.uint32_t(flags), &c.err))
}

func rawBlockSetTag(file fileHandle, txn txnHandle, name string, tag []byte) error {
	c := newCall()
	return c.done(C.spw_block_set_tag(file, txn, bytesOf(name), C.size_t(len(name)), pointerOf(tag),
		C.size_t(len(tag)), &c.err))
}

// blockInfoOf copies what stands in a spw_block_info.
func blockInfoOf(name string, from *C.spw_block_info) BlockInfo {
	info := BlockInfo{
		Name:     name,
		Length:   uint64(from.length),
		Version:  uint64(from.version),
		Created:  time.Unix(0, int64(from.created_ns)),
		Modified: time.Unix(0, int64(from.modified_ns)),
	}
	if from.tag_len > 0 {
		info.Tag = C.GoBytes(unsafe.Pointer(&from.tag[0]), C.int(from.tag_len))
	}
	return info
}

func rawBlockStat(file fileHandle, txn txnHandle, name string) (BlockInfo, error) {
	c := newCall()
	from := C.spw_block_info{struct_size: C.sizeof_spw_block_info}
	err := c.done(C.spw_block_stat(file, txn, bytesOf(name), C.size_t(len(name)), &from, &c.err))
	if err != nil {
		return BlockInfo{}, err
	}
	return blockInfoOf(name, &from), nil
}

func rawBlockExists(file fileHandle, txn txnHandle, name string) (bool, error) {
	c := newCall()
	status := C.spw_block_exists(file, txn, bytesOf(name), C.size_t(len(name)), &c.number, &c.err)
	exists := c.number != 0
	return exists, c.done(status)
}

// rawBlockRead fills buffer and says how many bytes it got.
func rawBlockRead(file fileHandle, txn txnHandle, name string, offset uint64,
	buffer []byte) (uint64, error) {
	c := newCall()
	status := C.spw_block_read(file, txn, bytesOf(name), C.size_t(len(name)), C.uint64_t(offset),
		pointerOf(buffer), C.uint64_t(len(buffer)), &c.a, &c.err)
	count := uint64(c.a)
	return count, c.done(status)
}

// rawBlockReadWhole reads one whole block, as of one moment, and says how long it is: also with
// ErrTooBig. code is what the block itself had to say, the error what the call had.
func rawBlockReadWhole(file fileHandle, txn txnHandle, name string,
	buffer []byte) (size uint64, code Code, err error) {
	c := newCall()
	c.names[1] = C.uint64_t(len(name))
	status := C.spw_block_read_batch(file, txn, bytesOf(name), C.uint64_t(len(name)), &c.names[0],
		1, pointerOf(buffer), C.uint64_t(len(buffer)), &c.ends[0], &c.number, &c.err)
	size, code = uint64(c.ends[1]), Code(c.number)
	return size, code, c.done(status)
}

// rawBlockReadBatch reads one block per name; offsets has one entry more, statuses as many.
func rawBlockReadBatch(file fileHandle, txn txnHandle, names *columns, buffer []byte,
	offsets []uint64, statuses []Code) error {
	c := newCall()
	return c.done(C.spw_block_read_batch(file, txn, (*C.char)(pointerOf(names.data)),
		C.uint64_t(len(names.data)), uint64sOf(names.offsets), C.size_t(names.count()),
		pointerOf(buffer), C.uint64_t(len(buffer)), uint64sOf(offsets),
		(*C.int32_t)(unsafe.Pointer(unsafe.SliceData(statuses))), &c.err))
}

func rawBlockGet(file fileHandle, txn txnHandle, name string, offset,
	length uint64) (blobHandle, error) {
	c := newCall()
	status := C.spw_block_get(file, txn, bytesOf(name), C.size_t(len(name)), C.uint64_t(offset),
		C.uint64_t(length), &c.blob, &c.err)
	blob := c.blob
	return blob, c.done(status)
}

// rawBlobView gives the bytes of a blob, which stay in the library's memory.
func rawBlobView(blob blobHandle) ([]byte, error) {
	c := newCall()
	status := C.spw_blob_view(blob, &c.data, &c.a, &c.err)
	bytes := unsafe.Slice((*byte)(c.data), int(c.a))
	return bytes, c.done(status)
}

func rawBlobFree(blob blobHandle) { C.spw_blob_free(blob) }

// ---- Listing ----

// listCall is what C writes to for one list, as cursorCall is for a cursor, and its current page.
type listCall struct {
	view C.spw_block_view
	err  *C.spw_error
	page blockPage
}

func (c *listCall) done(status C.spw_status) error {
	if status == C.SPW_OK {
		return nil
	}
	err := c.err
	c.err = nil
	return takeError(status, err)
}

// blockPage is a view, which stays in the library's memory until the list's next call. infos is nil
// without them.
type blockPage struct {
	names   []byte
	offsets []uint64 // one more than there are names; empty: no more blocks
	infos   []C.spw_block_info
}

func (p *blockPage) count() int { return max(len(p.offsets)-1, 0) }

// info copies what stands in the page; only the name where there is no more.
func (p *blockPage) info(i int) BlockInfo {
	name := string(p.names[p.offsets[i]:p.offsets[i+1]])
	if p.infos == nil {
		return BlockInfo{Name: name}
	}
	return blockInfoOf(name, &p.infos[i])
}

func rawListOpen(file fileHandle, txn txnHandle, prefix string,
	flags ListFlags) (listHandle, error) {
	c := newCall()
	status := C.spw_list_open(file, txn, bytesOf(prefix), C.size_t(len(prefix)), C.uint32_t(flags),
		&c.list, &c.err)
	list := c.list
	return list, c.done(status)
}

// next leaves the next blocks in the page, which is empty at the end and after an error.
func (c *listCall) next(list listHandle, maxBlocks uint64) error {
	c.page = blockPage{}
	c.view.struct_size = C.sizeof_spw_block_view
	status := C.spw_list_next(list, C.uint64_t(maxBlocks), &c.view, &c.err)
	if count := int(c.view.count); count > 0 {
		c.page.offsets = unsafe.Slice((*uint64)(unsafe.Pointer(c.view.name_offsets)), count+1)
		c.page.names = unsafe.Slice((*byte)(unsafe.Pointer(c.view.names)), int(c.page.offsets[count]))
		if c.view.infos != nil {
			c.page.infos = unsafe.Slice(c.view.infos, count)
		}
	}
	c.view = C.spw_block_view{}
	return c.done(status)
}

func (c *listCall) seek(list listHandle, name string) error {
	c.page = blockPage{}
	return c.done(C.spw_list_seek(list, bytesOf(name), C.size_t(len(name)), &c.err))
}

// free ends the page with the list.
func (c *listCall) free(list listHandle) {
	c.page = blockPage{}
	C.spw_list_free(list)
}
