// The functions of spillway_file.h, each once.
package main

/*
#include <spillway.h>
#include <stdlib.h>
*/
import "C"

import "unsafe"

func blockLayout() {
	sizes := map[C.int32_t]uintptr{
		C.SPW_STRUCT_BLOCK_INFO:     unsafe.Sizeof(C.spw_block_info{}),
		C.SPW_STRUCT_BLOCK_VIEW:     unsafe.Sizeof(C.spw_block_view{}),
		C.SPW_STRUCT_BLOCK_STATS:    unsafe.Sizeof(C.spw_block_stats{}),
		C.SPW_STRUCT_VERIFY_SUMMARY: unsafe.Sizeof(C.spw_verify_summary{}),
		C.SPW_STRUCT_PROBLEM:        unsafe.Sizeof(C.spw_problem{}),
		C.SPW_STRUCT_VACUUM_RESULT:  unsafe.Sizeof(C.spw_vacuum_result{}),
		C.SPW_STRUCT_TRANSFER:       unsafe.Sizeof(C.spw_transfer{}),
	}
	for id, size := range sizes {
		check(C.spw_sizeof(id) == C.size_t(size), "size of struct", id, size)
	}
	check(unsafe.Offsetof(C.spw_block_info{}.tag)+C.SPW_BLOCK_TAG_MAX ==
		unsafe.Sizeof(C.spw_block_info{}), "offset of tag")
}

func bytesIn(data []byte) (unsafe.Pointer, C.uint64_t) {
	return unsafe.Pointer(&data[0]), C.uint64_t(len(data))
}

func writeBlocks(file *C.spw_file) {
	var err *C.spw_error
	a, b, c := C.CString("a"), C.CString("b"), C.CString("c")
	defer C.free(unsafe.Pointer(a))
	defer C.free(unsafe.Pointer(b))
	defer C.free(unsafe.Pointer(c))
	var version, length C.uint64_t
	data, size := bytesIn([]byte("first"))
	expect(C.SPW_OK, C.spw_block_put(file, nil, a, 1, data, size, C.SPW_BLOCK_VERSION_NONE, &version,
		&err), &err)
	expect(C.SPW_CONFLICT, C.spw_block_put(file, nil, a, 1, data, size, version+1, nil, &err), &err)
	names, ends := C.CString("bc"), []C.uint64_t{0, 1, 2}
	defer C.free(unsafe.Pointer(names))
	data, size = bytesIn([]byte("secondthird"))
	places := []C.uint64_t{0, 6, 11}
	var versions [2]C.uint64_t
	expect(C.SPW_OK, C.spw_block_put_batch(file, nil, names, 2, &ends[0], data, size, &places[0], 2,
		nil, &versions[0], &err), &err)
	check(version > 0 && versions[0] > version && versions[1] > version, "versions", versions)
	data, size = bytesIn([]byte("!"))
	expect(C.SPW_OK, C.spw_block_append(file, nil, c, 1, data, size, &length, &err), &err)
	check(length == 6, "length", length)
	expect(C.SPW_OK, C.spw_block_patch(file, nil, c, 1, 5, data, size, &err), &err)
	expect(C.SPW_OK, C.spw_block_set_tag(file, nil, a, 1, data, 1, &err), &err)
	expect(C.SPW_OK, C.spw_block_rename(file, nil, b, 1, c, 1, C.SPW_RENAME_REPLACE, &err), &err)
	expect(C.SPW_NOT_FOUND, C.spw_block_delete(file, nil, b, 1, C.SPW_BLOCK_VERSION_ANY, &err), &err)
}

func readBlocks(file *C.spw_file) {
	var err *C.spw_error
	names := C.CString("abc")
	defer C.free(unsafe.Pointer(names))
	info := C.spw_block_info{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_block_info{}))}
	expect(C.SPW_OK, C.spw_block_stat(file, nil, names, 1, &info, &err), &err)
	check(info.length == 5 && info.tag_len == 1 && info.tag[0] == '!', "info")
	var exists C.int32_t
	expect(C.SPW_OK, C.spw_block_exists(file, nil, names, 1, &exists, &err), &err)
	check(exists == 1, "exists")
	var buffer [16]byte
	var length C.uint64_t
	expect(C.SPW_OK, C.spw_block_read(file, nil, names, 1, 1, unsafe.Pointer(&buffer[0]), 3, &length,
		&err), &err)
	check(string(buffer[:length]) == "irs", "a range")
	ends := []C.uint64_t{0, 1, 2, 3}
	var offsets [4]C.uint64_t
	var statuses [3]C.int32_t
	expect(C.SPW_OK, C.spw_block_read_batch(file, nil, names, 3, &ends[0], 3,
		unsafe.Pointer(&buffer[0]), 16, &offsets[0], &statuses[0], &err), &err)
	check(string(buffer[:offsets[3]]) == "firstsecond" && statuses[1] == C.SPW_NOT_FOUND, "batch")
	var blob *C.spw_blob
	var data *C.uint8_t
	expect(C.SPW_OK, C.spw_block_get(file, nil, names, 1, 0, C.SPW_NO_LIMIT, &blob, &err), &err)
	expect(C.SPW_OK, C.spw_blob_view(blob, &data, &length, &err), &err)
	check(C.GoStringN((*C.char)(unsafe.Pointer(data)), C.int(length)) == "first", "blob")
	C.spw_blob_free(blob)
}

func inTransaction(file *C.spw_file) {
	var err *C.spw_error
	var txn *C.spw_txn
	name := C.CString("d")
	defer C.free(unsafe.Pointer(name))
	expect(C.SPW_OK, C.spw_txn_begin(file, 0, &txn, &err), &err)
	expect(C.SPW_OK, C.spw_block_put(file, txn, name, 1, nil, 0, C.SPW_BLOCK_VERSION_ANY, nil, &err),
		&err)
	var list *C.spw_list
	view := C.spw_block_view{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_block_view{}))}
	expect(C.SPW_OK, C.spw_list_open(file, txn, nil, 0, 0, &list, &err), &err)
	expect(C.SPW_OK, C.spw_list_seek(list, name, 1, &err), &err)
	expect(C.SPW_OK, C.spw_list_next(list, 10, &view, &err), &err)
	check(view.count == 1 && C.GoStringN(view.names, 1) == "d" && view.infos.length == 0, "list")
	C.spw_list_free(list)
	expect(C.SPW_OK, C.spw_txn_commit(txn, C.SPW_FLUSH_KERNEL, &err), &err)
	C.spw_txn_free(txn)
}

func commitWithRecords(store *C.spw_store) {
	var err *C.spw_error
	var file *C.spw_file
	var txn *C.spw_txn
	expect(C.SPW_OK, C.spw_store_file(store, &file, &err), &err)
	expect(C.SPW_OK, C.spw_txn_begin(file, 0, &txn, &err), &err)
	name := C.CString("beside")
	defer C.free(unsafe.Pointer(name))
	expect(C.SPW_OK, C.spw_block_put(file, txn, name, 6, nil, 0, C.SPW_BLOCK_VERSION_NONE, nil, &err),
		&err)
	expect(C.SPW_OK, C.spw_store_commit(store, txn, C.SPW_FLUSH_DEVICE, C.SPW_WAIT_FOREVER, nil, &err),
		&err)
	C.spw_txn_free(txn)
	var exists C.int32_t
	expect(C.SPW_OK, C.spw_block_exists(file, nil, name, 6, &exists, &err), &err)
	check(exists == 1, "a block beside the records")
	expect(C.SPW_INVALID_STATE, C.spw_file_close(file, 0, &err), &err)
	C.spw_file_free(file)
}

func verifyBlocks(file *C.spw_file) {
	var err *C.spw_error
	expect(C.SPW_OK, C.spw_file_flush(file, C.SPW_FLUSH_CHECKPOINT, &err), &err)
	var report *C.spw_report
	summary := C.spw_verify_summary{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_verify_summary{}))}
	problem := C.spw_problem{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_problem{}))}
	expect(C.SPW_OK, C.spw_file_verify(file, C.SPW_VERIFY_FULL, C.SPW_NO_LIMIT, nil, &report, &err),
		&err)
	expect(C.SPW_OK, C.spw_report_summary(report, &summary, &err), &err)
	check(summary.blocks == 3 && summary.problems == 0, "summary", summary.blocks)
	expect(C.SPW_NOT_FOUND, C.spw_report_problem(report, 0, &problem, &err), &err)
	C.spw_report_free(report)
	stats := C.spw_block_stats{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_block_stats{}))}
	expect(C.SPW_OK, C.spw_file_stats(file, &stats, &err), &err)
	check(stats.blocks == 3 && stats.payload_bytes == 11 && stats.health == C.SPW_OK, "block stats")
}

func streams(file *C.spw_file) {
	var err *C.spw_error
	name := C.CString("stream")
	defer C.free(unsafe.Pointer(name))
	var writer *C.spw_writer
	var version C.uint64_t
	expect(C.SPW_OK, C.spw_writer_open(file, nil, name, 6, C.SPW_BLOCK_VERSION_NONE, &writer, &err), &err)
	expect(C.SPW_OK, C.spw_writer_write(writer, unsafe.Pointer(name), 6, &err), &err)
	expect(C.SPW_OK, C.spw_writer_commit(writer, &version, &err), &err)
	C.spw_writer_free(writer)
	var reader *C.spw_reader
	info := C.spw_block_info{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_block_info{}))}
	buffer := make([]byte, 8)
	var length C.uint64_t
	expect(C.SPW_OK, C.spw_reader_open(file, nil, name, 6, &reader, &err), &err)
	expect(C.SPW_OK, C.spw_reader_stat(reader, &info, &err), &err)
	check(info.length == 6 && info.version == version, "stream info")
	expect(C.SPW_OK, C.spw_reader_seek(reader, 3, &err), &err)
	expect(C.SPW_OK, C.spw_reader_read(reader, unsafe.Pointer(&buffer[0]), 8, &length, &err), &err)
	check(string(buffer[:length]) == "eam", "stream read")
	expect(C.SPW_OK,
		C.spw_reader_read_at(reader, 0, unsafe.Pointer(&buffer[0]), 3, &length, &err), &err)
	check(string(buffer[:length]) == "str", "stream read at")
	C.spw_reader_free(reader)
}

func upkeep(file *C.spw_file, path string) {
	var err *C.spw_error
	result := C.spw_vacuum_result{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_vacuum_result{}))}
	expect(C.SPW_OK, C.spw_file_vacuum(file, C.SPW_VACUUM_FULL, C.SPW_NO_LIMIT, nil, &result, &err),
		&err)
	check(result.done == 1 && result.bytes_file > 0, "vacuum")
	other := C.CString(path + "-other")
	defer C.free(unsafe.Pointer(other))
	length := C.size_t(len(path) + 6)
	expect(C.SPW_OK, C.spw_file_copy(file, nil, other, length, nil, &err), &err)
	expect(C.SPW_ALREADY_EXISTS, C.spw_file_copy(file, nil, other, length, nil, &err), &err)
	folder := C.CString(path + "-files")
	defer C.free(unsafe.Pointer(folder))
	transfer := C.spw_transfer{struct_size: C.uint32_t(unsafe.Sizeof(C.spw_transfer{}))}
	expect(C.SPW_OK,
		C.spw_file_export(file, nil, nil, 0, folder, length, nil, &transfer, &err), &err)
	check(transfer.blocks == 4 && transfer.bytes == 17, "export", transfer.blocks)
	expect(C.SPW_OK, C.spw_file_import(file, folder, length, nil, 0, nil, &transfer, &err), &err)
	check(transfer.blocks == 0 && transfer.equal == 4, "import", transfer.equal)
	var report *C.spw_report
	expect(C.SPW_NOT_FOUND, C.spw_file_scrub_report(file, &report, &err), &err)
	expect(C.SPW_OK, C.spw_file_scrub(file, C.SPW_NO_LIMIT, &err), &err)
	expect(C.SPW_OK, C.spw_file_scrub(file, 0, &err), &err)
}

func blocks(path string) {
	blockLayout()
	var err *C.spw_error
	var file *C.spw_file
	leaked := C.spw_leaked_files()
	options := newOptions(map[C.int32_t]C.int64_t{C.SPW_OPT_FILE_CACHE_BYTES: 0})
	text := C.CString(path)
	defer C.free(unsafe.Pointer(text))
	expect(C.SPW_OK, C.spw_file_open(text, C.size_t(len(path)), options, nil, &file, &err), &err)
	C.spw_options_free(options)
	if file == nil {
		return
	}
	writeBlocks(file)
	readBlocks(file)
	inTransaction(file)
	verifyBlocks(file)
	streams(file)
	upkeep(file, path)
	expect(C.SPW_OK, C.spw_file_close(file, 0, &err), &err)
	C.spw_file_free(file)
	check(C.spw_leaked_files() == leaked, "leaked files")
}
