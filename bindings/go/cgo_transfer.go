package spillway

// The raw layer of block files, its second half: streams, and what goes over whole files. The rules
// are those of cgo.go.

/*
#include <spillway.h>
*/
import "C"

// ---- Streams ----

func rawReaderOpen(file fileHandle, txn txnHandle, name string) (readerHandle, error) {
	c := newCall()
	status := C.spw_reader_open(file, txn, bytesOf(name), C.size_t(len(name)), &c.reader, &c.err)
	reader := c.reader
	return reader, c.done(status)
}

func rawReaderStat(reader readerHandle, name string) (BlockInfo, error) {
	c := newCall()
	from := C.spw_block_info{struct_size: C.sizeof_spw_block_info}
	err := c.done(C.spw_reader_stat(reader, &from, &c.err))
	return blockInfoOf(name, &from), err
}

// rawReaderRead fills buffer and says how many bytes it got.
func rawReaderRead(reader readerHandle, buffer []byte) (int, error) {
	c := newCall()
	status := C.spw_reader_read(reader, pointerOf(buffer), C.uint64_t(len(buffer)), &c.a, &c.err)
	count := int(c.a)
	return count, c.done(status)
}

func rawReaderReadAt(reader readerHandle, offset uint64, buffer []byte) (int, error) {
	c := newCall()
	status := C.spw_reader_read_at(reader, C.uint64_t(offset), pointerOf(buffer),
		C.uint64_t(len(buffer)), &c.a, &c.err)
	count := int(c.a)
	return count, c.done(status)
}

func rawReaderSeek(reader readerHandle, offset uint64) error {
	c := newCall()
	return c.done(C.spw_reader_seek(reader, C.uint64_t(offset), &c.err))
}

func rawReaderFree(reader readerHandle) { C.spw_reader_free(reader) }

func rawWriterOpen(file fileHandle, txn txnHandle, name string,
	expected uint64) (writerHandle, error) {
	c := newCall()
	status := C.spw_writer_open(file, txn, bytesOf(name), C.size_t(len(name)), C.uint64_t(expected),
		&c.writer, &c.err)
	writer := c.writer
	return writer, c.done(status)
}

func rawWriterWrite(writer writerHandle, data []byte) error {
	c := newCall()
	return c.done(C.spw_writer_write(writer, pointerOf(data), C.uint64_t(len(data)), &c.err))
}

func rawWriterCommit(writer writerHandle) (uint64, error) {
	c := newCall()
	status := C.spw_writer_commit(writer, &c.a, &c.err)
	version := uint64(c.a)
	return version, c.done(status)
}

func rawWriterFree(writer writerHandle) { C.spw_writer_free(writer) }

// ---- Shrinking, copying, folders ----

func rawFileVacuum(file fileHandle, flags VacuumFlags, maxBytes uint64,
	op opHandle) (VacuumResult, error) {
	c := newCall()
	from := C.spw_vacuum_result{struct_size: C.sizeof_spw_vacuum_result}
	err := c.done(C.spw_file_vacuum(file, C.uint32_t(flags), C.uint64_t(maxBytes), op, &from, &c.err))
	return VacuumResult{
		BytesMoved:  uint64(from.bytes_moved),
		BytesNeeded: uint64(from.bytes_needed),
		BytesBefore: uint64(from.bytes_before),
		BytesAfter:  uint64(from.bytes_after),
		BytesFile:   uint64(from.bytes_file),
		Done:        from.done != 0,
	}, err
}

func rawFileCopy(file fileHandle, txn txnHandle, path string, op opHandle) error {
	c := newCall()
	return c.done(C.spw_file_copy(file, txn, bytesOf(path), C.size_t(len(path)), op, &c.err))
}

func transferOf(from *C.spw_transfer) Transfer {
	return Transfer{
		Blocks:  uint64(from.blocks),
		Bytes:   uint64(from.bytes),
		Equal:   uint64(from.equal),
		Ignored: uint64(from.ignored),
	}
}

func rawFileImport(file fileHandle, folder, prefix string, op opHandle) (Transfer, error) {
	c := newCall()
	from := C.spw_transfer{struct_size: C.sizeof_spw_transfer}
	err := c.done(C.spw_file_import(file, bytesOf(folder), C.size_t(len(folder)), bytesOf(prefix),
		C.size_t(len(prefix)), op, &from, &c.err))
	return transferOf(&from), err
}

func rawFileExport(file fileHandle, txn txnHandle, prefix, folder string,
	op opHandle) (Transfer, error) {
	c := newCall()
	from := C.spw_transfer{struct_size: C.sizeof_spw_transfer}
	err := c.done(C.spw_file_export(file, txn, bytesOf(prefix), C.size_t(len(prefix)),
		bytesOf(folder), C.size_t(len(folder)), op, &from, &c.err))
	return transferOf(&from), err
}

// ---- Verification and statistics ----

func rawFileVerify(file fileHandle, flags VerifyLevel, bytesPerSecond uint64,
	op opHandle) (reportHandle, error) {
	c := newCall()
	status := C.spw_file_verify(file, C.uint32_t(flags), C.uint64_t(bytesPerSecond), op, &c.report,
		&c.err)
	report := c.report
	return report, c.done(status)
}

func rawFileScrub(file fileHandle, bytesPerSecond uint64) error {
	c := newCall()
	return c.done(C.spw_file_scrub(file, C.uint64_t(bytesPerSecond), &c.err))
}

func rawFileScrubReport(file fileHandle) (reportHandle, error) {
	c := newCall()
	status := C.spw_file_scrub_report(file, &c.report, &c.err)
	report := c.report
	return report, c.done(status)
}

// rawReportSummary gives a report without its problems.
func rawReportSummary(report reportHandle) (Report, error) {
	c := newCall()
	from := C.spw_verify_summary{struct_size: C.sizeof_spw_verify_summary}
	err := c.done(C.spw_report_summary(report, &from, &c.err))
	return Report{
		Blocks:        uint64(from.blocks),
		BlocksDamaged: uint64(from.blocks_damaged),
		Bytes:         uint64(from.bytes),
		Found:         uint64(from.problems),
	}, err
}

func rawReportProblem(report reportHandle, index uint64) (Problem, error) {
	c := newCall()
	from := C.spw_problem{struct_size: C.sizeof_spw_problem}
	err := c.done(C.spw_report_problem(report, C.uint64_t(index), &from, &c.err))
	return Problem{Code(from.code), C.GoStringN(from.name, C.int(from.name_len)),
		C.GoStringN(from.message, C.int(from.message_len))}, err
}

func rawReportFree(report reportHandle) { C.spw_report_free(report) }

func rawFileStats(file fileHandle) (FileStats, error) {
	c := newCall()
	from := C.spw_block_stats{struct_size: C.sizeof_spw_block_stats}
	err := c.done(C.spw_file_stats(file, &from, &c.err))
	return fileStatsOf(&from), err
}

func fileStatsOf(from *fileStatsStruct) FileStats {
	return FileStats{
		Flags:          uint32(from.flags),
		Blocks:         uint64(from.blocks),
		PayloadBytes:   uint64(from.payload_bytes),
		BytesFile:      uint64(from.bytes_file),
		BytesUsed:      uint64(from.bytes_used),
		BytesHeld:      uint64(from.bytes_held),
		BytesFree:      uint64(from.bytes_free),
		BlocksDirty:    uint64(from.blocks_dirty),
		BytesDirty:     uint64(from.bytes_dirty),
		BytesCached:    uint64(from.bytes_cached),
		Snapshots:      uint64(from.snapshots),
		Puts:           uint64(from.puts),
		Groups:         uint64(from.groups),
		Barriers:       uint64(from.barriers),
		Checkpoints:    uint64(from.checkpoints),
		BytesWritten:   uint64(from.bytes_written),
		BytesRead:      uint64(from.bytes_read),
		Waits:          uint64(from.waits),
		CacheHits:      uint64(from.cache_hits),
		CacheMisses:    uint64(from.cache_misses),
		ChecksumErrors: uint64(from.checksum_errors),
		Health:         Code(from.health),
		BytesDisk:      uint64(from.bytes_disk),
		ScrubPasses:    uint64(from.scrub_passes),
		ScrubProblems:  uint64(from.scrub_problems),
	}
}
