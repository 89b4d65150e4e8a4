package spillway

// The raw layer of block files: every function, constant and struct of spillway_file.h. The rules
// are those of cgo.go.

/*
#include <spillway.h>
*/
import "C"

import "unsafe"

type (
	fileHandle   = *C.spw_file
	txnHandle    = *C.spw_txn
	blobHandle   = *C.spw_blob
	listHandle   = *C.spw_list
	reportHandle = *C.spw_report
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
)

func rawFileLayouts() []layout {
	of := func(id C.int32_t) uintptr { return uintptr(C.spw_sizeof(id)) }
	return []layout{
		{"spw_block_info", C.sizeof_spw_block_info, of(C.SPW_STRUCT_BLOCK_INFO)},
		{"spw_block_view", C.sizeof_spw_block_view, of(C.SPW_STRUCT_BLOCK_VIEW)},
		{"spw_block_stats", C.sizeof_spw_block_stats, of(C.SPW_STRUCT_BLOCK_STATS)},
		{"spw_verify_summary", C.sizeof_spw_verify_summary, of(C.SPW_STRUCT_VERIFY_SUMMARY)},
		{"spw_problem", C.sizeof_spw_problem, of(C.SPW_STRUCT_PROBLEM)},
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

func rawFileClose(file fileHandle, flags uint32) error {
	c := newCall()
	return c.done(C.spw_file_close(file, C.uint32_t(flags), &c.err))
}

func rawFileFree(file fileHandle) { C.spw_file_free(file) }
func rawLeakedFiles() uint64      { return uint64(C.spw_leaked_files()) }

func rawFileFlush(file fileHandle, level int32) error {
	c := newCall()
	return c.done(C.spw_file_flush(file, C.int32_t(level), &c.err))
}

func rawTxnBegin(file fileHandle, flags uint32) (txnHandle, error) {
	c := newCall()
	status := C.spw_txn_begin(file, C.uint32_t(flags), &c.txn, &c.err)
	txn := c.txn
	return txn, c.done(status)
}

func rawTxnCommit(txn txnHandle, level int32) error {
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

// rawBlockPutBatch puts len(nameOffsets) - 1 blocks; expected and versions are nil or as long.
func rawBlockPutBatch(file fileHandle, txn txnHandle, names []byte, nameOffsets []uint64,
	data []byte, dataOffsets []uint64, expected, versions []uint64) error {
	c := newCall()
	count := max(len(nameOffsets), 1) - 1
	return c.done(C.spw_block_put_batch(file, txn, (*C.char)(pointerOf(names)),
		C.uint64_t(len(names)), uint64sOf(nameOffsets), pointerOf(data), C.uint64_t(len(data)),
		uint64sOf(dataOffsets), C.size_t(count), uint64sOf(expected), uint64sOf(versions), &c.err))
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

// rawBlockInfo is spw_block_info.
type rawBlockInfo struct {
	length, version       uint64
	createdNs, modifiedNs int64
	tag                   []byte
}

func blockInfoOf(from *C.spw_block_info) rawBlockInfo {
	return rawBlockInfo{
		length:     uint64(from.length),
		version:    uint64(from.version),
		createdNs:  int64(from.created_ns),
		modifiedNs: int64(from.modified_ns),
		tag:        C.GoBytes(unsafe.Pointer(&from.tag[0]), C.int(from.tag_len)),
	}
}

func rawBlockStat(file fileHandle, txn txnHandle, name string) (rawBlockInfo, error) {
	c := newCall()
	from := C.spw_block_info{struct_size: C.sizeof_spw_block_info}
	err := c.done(C.spw_block_stat(file, txn, bytesOf(name), C.size_t(len(name)), &from, &c.err))
	return blockInfoOf(&from), err
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

// rawBlockReadBatch reads len(statuses) blocks; nameOffsets and offsets have one more.
func rawBlockReadBatch(file fileHandle, txn txnHandle, names []byte, nameOffsets []uint64,
	buffer []byte, offsets []uint64, statuses []int32) error {
	c := newCall()
	return c.done(C.spw_block_read_batch(file, txn, (*C.char)(pointerOf(names)),
		C.uint64_t(len(names)), uint64sOf(nameOffsets), C.size_t(len(statuses)), pointerOf(buffer),
		C.uint64_t(len(buffer)), uint64sOf(offsets),
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

// listCall is what C writes to for one list, as cursorCall is for a cursor.
type listCall struct {
	view C.spw_block_view
	err  *C.spw_error
}

func (c *listCall) done(status C.spw_status) error {
	if status == C.SPW_OK {
		return nil
	}
	err := c.err
	c.err = nil
	return takeError(status, err)
}

// blockPage is a view whose names and offsets stay in the library's memory, until the list's next
// call. infos is nil without them.
type blockPage struct {
	names   []byte
	offsets []uint64 // one more than there are names; empty: no more blocks
	infos   []rawBlockInfo
}

func rawListOpen(file fileHandle, txn txnHandle, prefix string, flags uint32) (listHandle, error) {
	c := newCall()
	status := C.spw_list_open(file, txn, bytesOf(prefix), C.size_t(len(prefix)), C.uint32_t(flags),
		&c.list, &c.err)
	list := c.list
	return list, c.done(status)
}

func (c *listCall) next(list listHandle, maxBlocks uint64) (blockPage, error) {
	c.view.struct_size = C.sizeof_spw_block_view
	status := C.spw_list_next(list, C.uint64_t(maxBlocks), &c.view, &c.err)
	var page blockPage
	if count := int(c.view.count); count > 0 {
		page.offsets = unsafe.Slice((*uint64)(unsafe.Pointer(c.view.name_offsets)), count+1)
		page.names = unsafe.Slice((*byte)(unsafe.Pointer(c.view.names)), int(page.offsets[count]))
		if c.view.infos != nil {
			infos := unsafe.Slice(c.view.infos, count)
			for i := range infos {
				page.infos = append(page.infos, blockInfoOf(&infos[i]))
			}
		}
	}
	c.view = C.spw_block_view{}
	return page, c.done(status)
}

func (c *listCall) seek(list listHandle, name string) error {
	return c.done(C.spw_list_seek(list, bytesOf(name), C.size_t(len(name)), &c.err))
}

func rawListFree(list listHandle) { C.spw_list_free(list) }

// ---- Verification and statistics ----

func rawFileVerify(file fileHandle, flags uint32, bytesPerSecond uint64,
	op opHandle) (reportHandle, error) {
	c := newCall()
	status := C.spw_file_verify(file, C.uint32_t(flags), C.uint64_t(bytesPerSecond), op, &c.report,
		&c.err)
	report := c.report
	return report, c.done(status)
}

// rawSummary is spw_verify_summary.
type rawSummary struct{ blocks, blocksDamaged, bytes, problems uint64 }

func rawReportSummary(report reportHandle) (rawSummary, error) {
	c := newCall()
	from := C.spw_verify_summary{struct_size: C.sizeof_spw_verify_summary}
	err := c.done(C.spw_report_summary(report, &from, &c.err))
	return rawSummary{uint64(from.blocks), uint64(from.blocks_damaged), uint64(from.bytes),
		uint64(from.problems)}, err
}

// rawProblem is spw_problem, copied; name is empty for a structure of the file.
type rawProblem struct {
	code          Code
	name, message string
}

func rawReportProblem(report reportHandle, index uint64) (rawProblem, error) {
	c := newCall()
	from := C.spw_problem{struct_size: C.sizeof_spw_problem}
	err := c.done(C.spw_report_problem(report, C.uint64_t(index), &from, &c.err))
	return rawProblem{Code(from.code), C.GoStringN(from.name, C.int(from.name_len)),
		C.GoStringN(from.message, C.int(from.message_len))}, err
}

func rawReportFree(report reportHandle) { C.spw_report_free(report) }

// rawFileStats is spw_block_stats.
type rawFileStats struct {
	blocks, payloadBytes                       uint64
	bytesFile, bytesUsed, bytesHeld, bytesFree uint64
	blocksDirty, bytesDirty, bytesCached       uint64
	snapshots, puts, groups                    uint64
	barriers, checkpoints                      uint64
	bytesWritten, bytesRead, waits             uint64
	cacheHits, cacheMisses, checksumErrors     uint64
	health                                     Code
}

func rawFileStatsOf(file fileHandle) (rawFileStats, error) {
	c := newCall()
	from := C.spw_block_stats{struct_size: C.sizeof_spw_block_stats}
	err := c.done(C.spw_file_stats(file, &from, &c.err))
	return rawFileStats{
		blocks:         uint64(from.blocks),
		payloadBytes:   uint64(from.payload_bytes),
		bytesFile:      uint64(from.bytes_file),
		bytesUsed:      uint64(from.bytes_used),
		bytesHeld:      uint64(from.bytes_held),
		bytesFree:      uint64(from.bytes_free),
		blocksDirty:    uint64(from.blocks_dirty),
		bytesDirty:     uint64(from.bytes_dirty),
		bytesCached:    uint64(from.bytes_cached),
		snapshots:      uint64(from.snapshots),
		puts:           uint64(from.puts),
		groups:         uint64(from.groups),
		barriers:       uint64(from.barriers),
		checkpoints:    uint64(from.checkpoints),
		bytesWritten:   uint64(from.bytes_written),
		bytesRead:      uint64(from.bytes_read),
		waits:          uint64(from.waits),
		cacheHits:      uint64(from.cache_hits),
		cacheMisses:    uint64(from.cache_misses),
		checksumErrors: uint64(from.checksum_errors),
		health:         Code(from.health),
	}, err
}
