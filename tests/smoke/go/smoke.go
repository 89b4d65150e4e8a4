// Calls every function of spillway.h (and in blocks.go of spillway_file.h) once from Go and compares
// the layout of its structs with what the library was built with. Not a binding: it shows that one can be written.
package main

/*
#include <spillway.h>
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"unsafe"
)

var passed, failed int

func check(good bool, what string, values ...interface{}) {
	if good {
		passed++
		return
	}
	failed++
	_, _, line, _ := runtime.Caller(1)
	fmt.Printf("smoke.go:%d: FAILED: %s %v\n", line, what, values)
}

// The outcome of a call: *error must be there exactly if the call failed.
func expect(want C.spw_status, got C.spw_status, err **C.spw_error) {
	good := got == want && (*err == nil) == (got == C.SPW_OK) && C.spw_error_code(*err) == got
	message := ""
	if *err != nil {
		message = C.GoString(C.spw_error_message(*err, nil))
	}
	if good {
		passed++
	} else {
		failed++
		_, _, line, _ := runtime.Caller(1)
		fmt.Printf("smoke.go:%d: FAILED: %d, want %d: %s\n", line, got, want, message)
	}
	C.spw_error_free(*err)
	*err = nil
}

func layout() {
	sizes := map[C.int32_t]uintptr{
		C.SPW_STRUCT_SCAN:           unsafe.Sizeof(C.spw_scan{}),
		C.SPW_STRUCT_VIEW:           unsafe.Sizeof(C.spw_view{}),
		C.SPW_STRUCT_STATS:          unsafe.Sizeof(C.spw_stats{}),
		C.SPW_STRUCT_STREAM_STATS:   unsafe.Sizeof(C.spw_stream_stats{}),
		C.SPW_STRUCT_EVENT:          unsafe.Sizeof(C.spw_event{}),
		C.SPW_STRUCT_SLICE:          unsafe.Sizeof(C.spw_slice{}),
		C.SPW_STRUCT_RECORD_SUMMARY: unsafe.Sizeof(C.spw_record_summary{}),
		C.SPW_STRUCT_RECORD_RANGE:   unsafe.Sizeof(C.spw_record_range{}),
	}
	for id, size := range sizes {
		check(C.spw_sizeof(id) == C.size_t(size), "size of struct", id, size)
	}
	check(C.spw_sizeof(99) == 0, "size of an unknown struct")
	check(unsafe.Offsetof(C.spw_scan{}.begin_seq) == 16, "offset of begin_seq")
	check(unsafe.Offsetof(C.spw_view{}.times)+8 == unsafe.Sizeof(C.spw_view{}), "offset of times")
	check(unsafe.Offsetof(C.spw_stats{}.reads_cold)+8 == unsafe.Sizeof(C.spw_stats{}), "offset of reads_cold")
	check(unsafe.Offsetof(C.spw_event{}.time_ns) == 16, "offset of time_ns")
	check(C.spw_abi_version() == C.SPW_VERSION_MAJOR<<16|C.SPW_VERSION_MINOR, "version")
	check(len(C.GoString(C.spw_version())) >= 5, "version text")
	check(C.GoString(C.spw_status_name(C.SPW_TRIMMED)) == "SPW_TRIMMED", "name of a status")
}

func errors() {
	var err *C.spw_error
	status := C.spw_options_set_i64(nil, C.SPW_OPT_TIMES, 1, &err)
	var length C.size_t
	message := C.spw_error_message(err, &length)
	check(status == C.SPW_INVALID_ARGUMENT && C.GoString(message) != "", "message")
	check(C.size_t(len(C.GoString(message))) == length, "length of the message")
	check(C.spw_error_os_code(err) == 0 && C.spw_error_detail_code(err) == 0, "codes")
	check(C.spw_error_record(err) == -1, "record")
	expect(C.SPW_INVALID_ARGUMENT, status, &err)
}

func newOptions(pairs map[C.int32_t]C.int64_t) *C.spw_options {
	var err *C.spw_error
	var options *C.spw_options
	expect(C.SPW_OK, C.spw_options_new(&options, &err), &err)
	for key, value := range pairs {
		expect(C.SPW_OK, C.spw_options_set_i64(options, key, value, &err), &err)
		var back C.int64_t
		expect(C.SPW_OK, C.spw_options_get_i64(options, key, &back, &err), &err)
		check(back == value, "option", key, back)
	}
	expect(C.SPW_UNSUPPORTED, C.spw_options_set_bytes(options, 1, nil, 0, &err), &err)
	return options
}

func openStore(path string) *C.spw_store {
	var err *C.spw_error
	var store *C.spw_store
	options := newOptions(map[C.int32_t]C.int64_t{
		C.SPW_OPT_COLD_TIER: C.SPW_TIER_BLOCK_FILE, C.SPW_OPT_BUDGET_BYTES: 1 << 20})
	text := C.CString(path)
	defer C.free(unsafe.Pointer(text))
	expect(C.SPW_OK, C.spw_store_open(text, C.size_t(len(path)), options, nil, &store, &err), &err)
	C.spw_options_free(options)
	return store
}

func openStream(store *C.spw_store, name string) C.uint32_t {
	var err *C.spw_error
	var stream C.uint32_t
	options := newOptions(map[C.int32_t]C.int64_t{C.SPW_OPT_TIMES: 1})
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	expect(C.SPW_OK, C.spw_store_stream(store, text, C.size_t(len(name)), options,
		C.SPW_STREAM_CREATE, &stream, &err), &err)
	C.spw_options_free(options)

	var ids [4]C.uint32_t
	var count C.size_t
	expect(C.SPW_OK, C.spw_store_streams(store, &ids[0], 4, &count, &err), &err)
	check(count == 1 && ids[0] == stream, "streams", count)
	var copied [16]C.char
	expect(C.SPW_OK, C.spw_store_stream_name(store, stream, &copied[0], 16, &count, &err), &err)
	check(C.GoStringN(&copied[0], C.int(count)) == name, "name of the stream")
	return stream
}

func write(store *C.spw_store, stream C.uint32_t) {
	var err *C.spw_error
	var op *C.spw_op
	expect(C.SPW_OK, C.spw_op_new(&op, &err), &err)
	data := []byte("helloworld!")
	offsets := []C.uint64_t{0, 5, 11}
	times := []C.int64_t{-1, 1}
	first := C.uint64_t(7)
	expect(C.SPW_OK, C.spw_store_add(store, stream, unsafe.Pointer(&data[0]), C.uint64_t(len(data)),
		&offsets[0], 2, &times[0], C.SPW_WAIT_DEFAULT, op, &first, &err), &err)
	check(first == 0, "first sequence number", first)

	slices := (*[1]C.spw_slice)(C.malloc(C.size_t(unsafe.Sizeof(C.spw_slice{}))))
	slices[0].data = C.CBytes([]byte("third"))
	slices[0].len = 5
	expect(C.SPW_OK, C.spw_store_addv(store, stream, &slices[0], 1, &times[0], C.SPW_WAIT_DEFAULT, op,
		&first, &err), &err)
	check(first == 2, "first sequence number", first)
	C.free(unsafe.Pointer(slices[0].data))
	C.free(unsafe.Pointer(slices))

	expect(C.SPW_OK, C.spw_store_flush(store, C.SPW_FLUSH_DEVICE, C.SPW_WAIT_FOREVER, op, &err), &err)
	var done, total C.uint64_t
	C.spw_op_progress(op, &done, &total)
	check(done == total, "progress", done, total)
	C.spw_op_cancel(op)
	expect(C.SPW_CANCELLED, C.spw_store_add(store, stream, unsafe.Pointer(&data[0]), 11, &offsets[0], 2,
		&times[0], C.SPW_WAIT_DEFAULT, op, &first, &err), &err)
	check(first == C.SPW_SEQ_NONE, "no sequence number")
	C.spw_op_free(op)
}

func record(view *C.spw_view, i int) string {
	begin := unsafe.Slice((*uint64)(unsafe.Pointer(view.begin)), int(view.count))
	end := unsafe.Slice((*uint64)(unsafe.Pointer(view.end)), int(view.count))
	data := unsafe.Slice((*byte)(unsafe.Pointer(view.data)), int(view.data_len))
	return string(data[begin[i]:end[i]])
}

func read(store *C.spw_store, stream C.uint32_t) {
	var err *C.spw_error
	scan := C.spw_scan{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_scan{})), stream: stream,
		end_seq: C.SPW_SEQ_NONE}
	view := C.spw_view{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_view{}))}
	var cursor *C.spw_cursor
	expect(C.SPW_OK, C.spw_cursor_open(store, &scan, nil, &cursor, &err), &err)
	var begin, end C.uint64_t
	expect(C.SPW_OK, C.spw_cursor_range(cursor, &begin, &end, &err), &err)
	check(begin == 0 && end == 3, "range", begin, end)
	expect(C.SPW_OK, C.spw_cursor_seek(cursor, 1, &err), &err)
	expect(C.SPW_OK, C.spw_cursor_next(cursor, 1, C.SPW_NO_LIMIT, 0, nil, &view, &err), &err)
	check(view.count == 1 && view.first_seq == 1 && record(&view, 0) == "world!", "record 1")
	var batch *C.spw_batch
	expect(C.SPW_OK, C.spw_cursor_detach(cursor, &batch, &err), &err)
	C.spw_cursor_free(cursor)
	expect(C.SPW_OK, C.spw_batch_view(batch, &view, &err), &err)
	check(view.count == 1 && record(&view, 0) == "world!", "detached record 1")
	C.spw_batch_free(batch)

	seqs := []C.uint64_t{2, 0}
	expect(C.SPW_OK, C.spw_store_gather(store, stream, &seqs[0], 2, &batch, &err), &err)
	expect(C.SPW_OK, C.spw_batch_view(batch, &view, &err), &err)
	check(view.count == 2 && record(&view, 0) == "third" && record(&view, 1) == "hello", "gathered")
	C.spw_batch_free(batch)

	var buffer [16]byte
	var length C.uint64_t
	var time C.int64_t
	expect(C.SPW_OK, C.spw_store_read(store, stream, 0, unsafe.Pointer(&buffer[0]), 16, &length, &time,
		&err), &err)
	check(string(buffer[:length]) == "hello" && time == -1, "record 0", time)
}

func numbers(store *C.spw_store, stream C.uint32_t) {
	var err *C.spw_error
	expect(C.SPW_OK, C.spw_store_set_i64(store, C.SPW_ALL, C.SPW_OPT_TIMEOUT_MS, 25, &err), &err)
	var value C.int64_t
	expect(C.SPW_OK, C.spw_store_get_i64(store, C.SPW_ALL, C.SPW_OPT_TIMEOUT_MS, &value, &err), &err)
	check(value == 25, "live option", value)
	stats := C.spw_stats{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_stats{}))}
	expect(C.SPW_OK, C.spw_store_stats(store, &stats, &err), &err)
	check(stats.records_added == 3 && stats.records_cold == 3 && stats.health == C.SPW_OK, "stats")
	of := C.spw_stream_stats{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_stream_stats{}))}
	expect(C.SPW_OK, C.spw_store_stream_stats(store, stream, &of, &err), &err)
	check(of.tail_seq == 3 && of.flags == C.SPW_STREAM_HAS_TIMES, "stream stats")
	var events [8]C.spw_event
	var count C.size_t
	expect(C.SPW_OK, C.spw_store_events(store, &events[0], C.size_t(unsafe.Sizeof(events[0])), 8,
		&count, &err), &err)
	check(count <= 8, "events", count)
	var begin C.uint64_t
	expect(C.SPW_OK, C.spw_store_settle(store, C.SPW_WAIT_FOREVER, nil, &err), &err)
	expect(C.SPW_OK, C.spw_store_release_memory(store, &err), &err)
	var report *C.spw_report
	expect(C.SPW_OK, C.spw_store_verify(store, C.SPW_ALL, 0, C.SPW_NO_LIMIT, nil, &report, &err), &err)
	found := C.spw_record_summary{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_record_summary{}))}
	expect(C.SPW_OK, C.spw_report_records(report, &found, &err), &err)
	check(found.records == 3 && found.ranges == 0, "verified", found.records)
	damaged := C.spw_record_range{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_record_range{}))}
	expect(C.SPW_NOT_FOUND, C.spw_report_range(report, 0, &damaged, &err), &err)
	C.spw_report_free(report)
	expect(C.SPW_OK, C.spw_store_trim(store, stream, 1, &err), &err)
	expect(C.SPW_OK, C.spw_store_trim_time(store, stream, math.MinInt64, &begin, &err), &err)
	check(begin == 1, "no time is below the least", begin)
	expect(C.SPW_OK, C.spw_store_trim_bytes(store, stream, 1<<20, &begin, &err), &err)
	check(begin == 1, "all that is left fits", begin)
	expect(C.SPW_OK, C.spw_store_clear(store, stream, &err), &err)
	expect(C.SPW_OK, C.spw_store_stream_stats(store, stream, &of, &err), &err)
	check(of.begin_seq == 3 && of.tail_seq == 3, "stream stats after clear")
}

func main() {
	folder, problem := os.MkdirTemp("", "spw-smoke-")
	if problem != nil {
		fmt.Println(problem)
		os.Exit(1)
	}
	layout()
	errors()
	leaked := C.spw_leaked_stores()
	store := openStore(folder + "/store")
	if store != nil {
		stream := openStream(store, "log")
		write(store, stream)
		commitWithRecords(store)
		read(store, stream)
		numbers(store, stream)
		var err *C.spw_error
		expect(C.SPW_OK, C.spw_store_close(store, 0, C.SPW_WAIT_FOREVER, nil, &err), &err)
		C.spw_store_free(store)
	}
	check(C.spw_leaked_stores() == leaked, "leaked stores")
	blocks(folder + "/blocks")
	os.RemoveAll(folder)
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
