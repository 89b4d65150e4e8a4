package spillway

// The raw layer: every function, constant and struct of spillway.h, and nothing else. This file,
// cgo_stats.go, and cgo_file.go and cgo_transfer.go, for block files, are the only ones that speak C;
// their functions take and give plain Go values. Rules:
//  - Flat arguments only: no C pointer is ever stored in Go memory that C is shown, but for `call`,
//    `cursorCall` and `listCall`, and no Go pointer is ever stored in C.
//  - What C writes to lies in `call`, which is pooled: a local variable would be moved to the heap
//    by each call.
//  - A pointer into the library's memory is cleared when it ends: later Go may get that address from
//    the system, and its collector must not meet it. (Handles are of incomplete types, which the
//    collector leaves alone.)
//  - Whoever owns a handle keeps it alive past the call: life.leave (or runtime.KeepAlive) follows.

/*
#include <spillway.h>
*/
import "C"

import (
	"sync"
	"unsafe"
)

type (
	storeHandle   = *C.spw_store
	cursorHandle  = *C.spw_cursor
	batchHandle   = *C.spw_batch
	opHandle      = *C.spw_op
	optionsHandle = *C.spw_options
)

// The constants of the header; the public ones are defined from these, with their comments.
const (
	headerMajor, headerMinor, headerVersion = C.SPW_VERSION_MAJOR, C.SPW_VERSION_MINOR, C.SPW_VERSION

	spwInvalidArgument, spwInvalidState = C.SPW_INVALID_ARGUMENT, C.SPW_INVALID_STATE
	spwNoMemory, spwNotFound            = C.SPW_NO_MEMORY, C.SPW_NOT_FOUND
	spwAlreadyExists, spwBusy           = C.SPW_ALREADY_EXISTS, C.SPW_BUSY
	spwWouldBlock, spwTimeout           = C.SPW_WOULD_BLOCK, C.SPW_TIMEOUT
	spwCancelled, spwClosed, spwFull    = C.SPW_CANCELLED, C.SPW_CLOSED, C.SPW_FULL
	spwTooBig, spwReadOnly, spwIO       = C.SPW_TOO_BIG, C.SPW_READONLY, C.SPW_IO
	spwCorrupt, spwTrimmed              = C.SPW_CORRUPT, C.SPW_TRIMMED
	spwUnsupported, spwForked           = C.SPW_UNSUPPORTED, C.SPW_FORKED
	spwOK, spwInternal                  = C.SPW_OK, C.SPW_INTERNAL
	spwAuto, spwUnlimited               = C.SPW_AUTO, C.SPW_UNLIMITED
	spwWaitDefault, spwNoWait           = C.SPW_WAIT_DEFAULT, C.SPW_NO_WAIT
	spwWaitForever, spwAll              = C.SPW_WAIT_FOREVER, C.SPW_ALL
	spwSeqNone, spwNoLimit              = C.SPW_SEQ_NONE, C.SPW_NO_LIMIT
	spwRecordBytesMax                   = C.SPW_RECORD_BYTES_MAX
	spwStreamsMax, spwStreamNameMax     = C.SPW_STREAMS_MAX, C.SPW_STREAM_NAME_MAX
	optBudgetBytes, optBudgetRecords    = C.SPW_OPT_BUDGET_BYTES, C.SPW_OPT_BUDGET_RECORDS
	optHardPercent, optLowPercent       = C.SPW_OPT_HARD_PERCENT, C.SPW_OPT_LOW_PERCENT
	optSpillsInFlight, optTimeoutMs     = C.SPW_OPT_SPILLS_IN_FLIGHT, C.SPW_OPT_TIMEOUT_MS
	optColdTier, optOpen                = C.SPW_OPT_COLD_TIER, C.SPW_OPT_OPEN
	optWhenFull, optTimes               = C.SPW_OPT_WHEN_FULL, C.SPW_OPT_TIMES
	optSyncMs                           = C.SPW_OPT_SYNC_MS
	optEager                            = C.SPW_OPT_EAGER
	optIdleMs                           = C.SPW_OPT_IDLE_MS
	optPromoteReads                     = C.SPW_OPT_PROMOTE_READS
	tierBlockFile, tierSQLite           = C.SPW_TIER_BLOCK_FILE, C.SPW_TIER_SQLITE
	openCreate, openExisting, openNew   = C.SPW_OPEN_CREATE, C.SPW_OPEN_EXISTING, C.SPW_OPEN_NEW
	openTemporary                       = C.SPW_OPEN_TEMPORARY
	whenFullBlock, whenFullFail         = C.SPW_WHEN_FULL_BLOCK, C.SPW_WHEN_FULL_FAIL
	whenFullDropNewest                  = C.SPW_WHEN_FULL_DROP_NEWEST
	whenFullDropOldest                  = C.SPW_WHEN_FULL_DROP_OLDEST
	closeDiscard                        = C.SPW_CLOSE_DISCARD
	streamCreate, streamMustCreate      = C.SPW_STREAM_CREATE, C.SPW_STREAM_MUST_CREATE
	flushKernel, flushDevice            = C.SPW_FLUSH_KERNEL, C.SPW_FLUSH_DEVICE
	eventBlocked, eventError            = C.SPW_EVENT_BLOCKED, C.SPW_EVENT_ERROR
	eventSpillBegin, eventSpillEnd      = C.SPW_EVENT_SPILL_BEGIN, C.SPW_EVENT_SPILL_END
	eventRecovered, eventCorrupt        = C.SPW_EVENT_RECOVERED, C.SPW_EVENT_CORRUPT
	eventDropped                        = C.SPW_EVENT_DROPPED
	scanReverse, scanFollow, scanByTime = C.SPW_SCAN_REVERSE, C.SPW_SCAN_FOLLOW, C.SPW_SCAN_TIME_RANGE
)

// ---- Calls and errors ----

// call is what C writes to during one call. It holds no Go pointer.
type call struct {
	err     *C.spw_error
	store   *C.spw_store
	cursor  *C.spw_cursor
	batch   *C.spw_batch
	op      *C.spw_op
	options *C.spw_options
	file    *C.spw_file
	txn     *C.spw_txn
	blob    *C.spw_blob
	list    *C.spw_list
	report  *C.spw_report
	reader  *C.spw_reader
	writer  *C.spw_writer
	data    *C.uint8_t
	number  C.int32_t
	stream  C.uint32_t
	size    C.size_t
	time    C.int64_t
	a, b    C.uint64_t
	names   [2]C.uint64_t // offsets of one name
	ends    [2]C.uint64_t
}

var calls = sync.Pool{New: func() any { return new(call) }}

func newCall() *call { return calls.Get().(*call) }

// done ends a call: the values it gave are read before.
func (c *call) done(status C.spw_status) error {
	var err error
	if status != C.SPW_OK {
		err = takeError(status, c.err)
	}
	*c = call{}
	calls.Put(c)
	return err
}

// takeError turns an error of the library into one of ours, and frees it.
func takeError(status C.spw_status, e *C.spw_error) error {
	if e == nil {
		return &Error{Code: Code(status), Index: -1}
	}
	defer C.spw_error_free(e)
	code := Code(C.spw_error_code(e))
	if shared := sharedError(code); shared != nil {
		return shared
	}
	var size C.size_t
	message := C.spw_error_message(e, &size)
	return &Error{
		Code:   code,
		OS:     int32(C.spw_error_os_code(e)),
		Detail: int32(C.spw_error_detail_code(e)),
		Index:  int64(C.spw_error_record(e)),
		Msg:    C.GoStringN(message, C.int(size)),
	}
}

func rawStatusName(code Code) string { return C.GoString(C.spw_status_name(C.int32_t(code))) }
func rawABIVersion() uint32          { return uint32(C.spw_abi_version()) }
func rawVersion() string             { return C.GoString(C.spw_version()) }
func rawLeakedStores() uint64        { return uint64(C.spw_leaked_stores()) }

// layout is the size of a public struct here and in the library that is loaded.
type layout struct {
	name          string
	here, library uintptr
}

func rawLayouts() []layout {
	of := func(id C.int32_t) uintptr { return uintptr(C.spw_sizeof(id)) }
	return append(rawFileLayouts(), []layout{
		{"spw_scan", C.sizeof_spw_scan, of(C.SPW_STRUCT_SCAN)},
		{"spw_view", C.sizeof_spw_view, of(C.SPW_STRUCT_VIEW)},
		{"spw_stats", C.sizeof_spw_stats, of(C.SPW_STRUCT_STATS)},
		{"spw_stream_stats", C.sizeof_spw_stream_stats, of(C.SPW_STRUCT_STREAM_STATS)},
		{"spw_event", C.sizeof_spw_event, of(C.SPW_STRUCT_EVENT)},
		{"spw_record_summary", C.sizeof_spw_record_summary, of(C.SPW_STRUCT_RECORD_SUMMARY)},
		{"spw_record_range", C.sizeof_spw_record_range, of(C.SPW_STRUCT_RECORD_RANGE)},
		{"spw_slice", C.sizeof_spw_slice, of(C.SPW_STRUCT_SLICE)},
	}...)
}

// ---- Options and operations ----

func rawOptionsNew() (optionsHandle, error) {
	c := newCall()
	status := C.spw_options_new(&c.options, &c.err)
	options := c.options
	return options, c.done(status)
}

func rawOptionsSet(options optionsHandle, key Key, value int64) error {
	c := newCall()
	return c.done(C.spw_options_set_i64(options, C.int32_t(key), C.int64_t(value), &c.err))
}

func rawOptionsGet(options optionsHandle, key Key) (int64, error) {
	c := newCall()
	status := C.spw_options_get_i64(options, C.int32_t(key), &c.time, &c.err)
	value := int64(c.time)
	return value, c.done(status)
}

func rawOptionsFree(options optionsHandle) { C.spw_options_free(options) }

func rawOpNew() (opHandle, error) {
	c := newCall()
	status := C.spw_op_new(&c.op, &c.err)
	op := c.op
	return op, c.done(status)
}

func rawOpCancel(op opHandle) { C.spw_op_cancel(op) }

func rawOpProgress(op opHandle) (done, total uint64) {
	c := newCall()
	C.spw_op_progress(op, &c.a, &c.b)
	done, total = uint64(c.a), uint64(c.b)
	c.done(C.SPW_OK)
	return done, total
}

func rawOpFree(op opHandle) { C.spw_op_free(op) }

// ---- Store ----

// bytesOf gives the bytes of a string to C, which copies them. Never NULL: that means something
// else for a path.
func bytesOf(text string) *C.char {
	if text == "" {
		text = "\x00"
	}
	return (*C.char)(unsafe.Pointer(unsafe.StringData(text)))
}

func rawOpen(path string, inMemory bool, options optionsHandle, op opHandle) (storeHandle, error) {
	c := newCall()
	name := bytesOf(path)
	if inMemory {
		name = nil
	}
	status := C.spw_store_open(name, C.size_t(len(path)), options, op, &c.store, &c.err)
	store := c.store
	return store, c.done(status)
}

func rawClose(store storeHandle, flags uint32, timeoutMs int64, op opHandle) error {
	c := newCall()
	return c.done(C.spw_store_close(store, C.uint32_t(flags), C.int64_t(timeoutMs), op, &c.err))
}

func rawStoreFree(store storeHandle) { C.spw_store_free(store) }

func rawStream(store storeHandle, name string, options optionsHandle,
	mode StreamMode) (Stream, error) {
	c := newCall()
	status := C.spw_store_stream(store, bytesOf(name), C.size_t(len(name)), options,
		C.uint32_t(mode), &c.stream, &c.err)
	stream := Stream(c.stream)
	return stream, c.done(status)
}

// rawStreams fills ids and says how many there are.
func rawStreams(store storeHandle, ids []Stream) (int, error) {
	c := newCall()
	status := C.spw_store_streams(store, (*C.uint32_t)(unsafe.Pointer(unsafe.SliceData(ids))),
		C.size_t(len(ids)), &c.size, &c.err)
	count := int(c.size)
	return count, c.done(status)
}

// rawStreamName fills name and says how long it is.
func rawStreamName(store storeHandle, stream Stream, name []byte) (int, error) {
	c := newCall()
	status := C.spw_store_stream_name(store, C.uint32_t(stream),
		(*C.char)(unsafe.Pointer(unsafe.SliceData(name))), C.size_t(len(name)), &c.size, &c.err)
	size := int(c.size)
	return size, c.done(status)
}

// rawAdd adds len(offsets) - 1 records; times is empty or as long.
func rawAdd(store storeHandle, stream Stream, columns *columns, timeoutMs int64,
	op opHandle) (uint64, error) {
	c := newCall()
	status := C.spw_store_add(store, C.uint32_t(stream),
		unsafe.Pointer(unsafe.SliceData(columns.data)), C.uint64_t(len(columns.data)),
		(*C.uint64_t)(unsafe.Pointer(unsafe.SliceData(columns.offsets))), C.size_t(columns.count()),
		(*C.int64_t)(unsafe.Pointer(unsafe.SliceData(columns.times))), C.int64_t(timeoutMs), op, &c.a,
		&c.err)
	first := uint64(c.a)
	return first, c.done(status)
}

// rawRead fills buffer and says how long the record is.
func rawRead(store storeHandle, stream Stream, seq uint64, buffer []byte) (uint64, int64, error) {
	c := newCall()
	status := C.spw_store_read(store, C.uint32_t(stream), C.uint64_t(seq),
		unsafe.Pointer(unsafe.SliceData(buffer)), C.uint64_t(len(buffer)), &c.a, &c.time, &c.err)
	size, time := uint64(c.a), int64(c.time)
	return size, time, c.done(status)
}

func rawGather(store storeHandle, stream Stream, seqs []uint64) (batchHandle, error) {
	c := newCall()
	status := C.spw_store_gather(store, C.uint32_t(stream),
		(*C.uint64_t)(unsafe.Pointer(unsafe.SliceData(seqs))), C.size_t(len(seqs)), &c.batch, &c.err)
	batch := c.batch
	return batch, c.done(status)
}

func rawFlush(store storeHandle, level FlushLevel, timeoutMs int64, op opHandle) error {
	c := newCall()
	return c.done(C.spw_store_flush(store, C.int32_t(level), C.int64_t(timeoutMs), op, &c.err))
}

func rawSettle(store storeHandle, timeoutMs int64, op opHandle) error {
	c := newCall()
	return c.done(C.spw_store_settle(store, C.int64_t(timeoutMs), op, &c.err))
}

func rawReleaseMemory(store storeHandle) error {
	c := newCall()
	return c.done(C.spw_store_release_memory(store, &c.err))
}

func rawClear(store storeHandle, stream Stream) error {
	c := newCall()
	return c.done(C.spw_store_clear(store, C.uint32_t(stream), &c.err))
}

func rawTrim(store storeHandle, stream Stream, beginSeq uint64) error {
	c := newCall()
	return c.done(C.spw_store_trim(store, C.uint32_t(stream), C.uint64_t(beginSeq), &c.err))
}

func rawTrimTime(store storeHandle, stream Stream, time int64) (uint64, error) {
	c := newCall()
	status := C.spw_store_trim_time(store, C.uint32_t(stream), C.int64_t(time), &c.a, &c.err)
	begin := uint64(c.a)
	return begin, c.done(status)
}

func rawTrimBytes(store storeHandle, stream Stream, bytesMost uint64) (uint64, error) {
	c := newCall()
	status := C.spw_store_trim_bytes(store, C.uint32_t(stream), C.uint64_t(bytesMost), &c.a, &c.err)
	begin := uint64(c.a)
	return begin, c.done(status)
}

func rawSet(store storeHandle, stream Stream, key Key, value int64) error {
	c := newCall()
	return c.done(C.spw_store_set_i64(store, C.uint32_t(stream), C.int32_t(key), C.int64_t(value),
		&c.err))
}

func rawGet(store storeHandle, stream Stream, key Key) (int64, error) {
	c := newCall()
	status := C.spw_store_get_i64(store, C.uint32_t(stream), C.int32_t(key), &c.time, &c.err)
	value := int64(c.time)
	return value, c.done(status)
}

// ---- Cursors and batches ----

// cursorCall is what C writes to for one cursor; in its own memory, since a cursor has Go pointers.
type cursorCall struct {
	view C.spw_view
	err  *C.spw_error
}

func (c *cursorCall) done(status C.spw_status) error {
	if status == C.SPW_OK {
		return nil
	}
	err := c.err
	c.err = nil
	return takeError(status, err)
}

func rawCursorOpen(store storeHandle, scan Scan) (cursorHandle, error) {
	c := newCall()
	from := C.spw_scan{struct_size: C.sizeof_spw_scan}
	from.flags = C.uint32_t(scan.Flags)
	from.stream = C.uint32_t(scan.Stream)
	from.reserved = 0
	from.begin_seq = C.uint64_t(scan.Begin)
	from.end_seq = C.uint64_t(scan.End)
	from.time_begin = C.int64_t(scan.TimeBegin)
	from.time_end = C.int64_t(scan.TimeEnd)
	status := C.spw_cursor_open(store, &from, nil, &c.cursor, &c.err)
	cursor := c.cursor
	return cursor, c.done(status)
}

func rawCursorRange(cursor cursorHandle) (begin, end uint64, err error) {
	c := newCall()
	status := C.spw_cursor_range(cursor, &c.a, &c.b, &c.err)
	begin, end = uint64(c.a), uint64(c.b)
	return begin, end, c.done(status)
}

// next leaves the view in records, which is empty at the end and after an error.
func (c *cursorCall) next(cursor cursorHandle, maxRecords, maxBytes uint64, timeoutMs int64,
	op opHandle, records *Records) error {
	c.view.struct_size = C.sizeof_spw_view
	status := C.spw_cursor_next(cursor, C.uint64_t(maxRecords), C.uint64_t(maxBytes),
		C.int64_t(timeoutMs), op, &c.view, &c.err)
	records.set(&c.view)
	c.view = C.spw_view{}
	return c.done(status)
}

func (c *cursorCall) seek(cursor cursorHandle, seq uint64) error {
	return c.done(C.spw_cursor_seek(cursor, C.uint64_t(seq), &c.err))
}

func rawCursorDetach(cursor cursorHandle) (batchHandle, error) {
	c := newCall()
	status := C.spw_cursor_detach(cursor, &c.batch, &c.err)
	batch := c.batch
	return batch, c.done(status)
}

func rawCursorFree(cursor cursorHandle) { C.spw_cursor_free(cursor) }

func rawBatchView(batch batchHandle, records *Records) error {
	c := newCall()
	view := C.spw_view{struct_size: C.sizeof_spw_view}
	status := C.spw_batch_view(batch, &view, &c.err)
	records.set(&view)
	return c.done(status)
}

func rawBatchFree(batch batchHandle) { C.spw_batch_free(batch) }

// set makes slices of a view's columns, which stay in the library's memory.
func (r *Records) set(view *C.spw_view) {
	count := int(view.count)
	if count == 0 {
		*r = Records{}
		return
	}
	r.firstSeq = uint64(view.first_seq)
	r.dense = view.flags&C.SPW_VIEW_DENSE != 0
	r.data = unsafe.Slice((*byte)(view.data), int(view.data_len))
	r.begin = unsafe.Slice((*uint64)(unsafe.Pointer(view.begin)), count)
	r.end = unsafe.Slice((*uint64)(unsafe.Pointer(view.end)), count)
	r.seqs, r.times = nil, nil
	if view.seqs != nil {
		r.seqs = unsafe.Slice((*uint64)(unsafe.Pointer(view.seqs)), count)
	}
	if view.times != nil {
		r.times = unsafe.Slice((*int64)(unsafe.Pointer(view.times)), count)
	}
}
