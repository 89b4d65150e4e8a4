package spillway

// The raw layer of spillway_stats.h: statistics, events and verification of record stores. The rules are those of
// cgo.go.

/*
#include <spillway.h>
*/
import "C"

import "unsafe"

type statsStruct = C.spw_stats

func rawStats(store storeHandle) (Stats, error) {
	c := newCall()
	from := C.spw_stats{struct_size: C.sizeof_spw_stats}
	err := c.done(C.spw_store_stats(store, &from, &c.err))
	return statsOf(&from), err
}

func statsOf(from *statsStruct) Stats {
	return Stats{
		Flags:               uint32(from.flags),
		Streams:             uint64(from.streams),
		BatchesAdded:        uint64(from.batches_added),
		RecordsAdded:        uint64(from.records_added),
		PayloadBytesAdded:   uint64(from.payload_bytes_added),
		RecordsLive:         uint64(from.records_live),
		RecordsUnspilled:    uint64(from.records_unspilled),
		RecordsCold:         uint64(from.records_cold),
		RecordsResident:     uint64(from.records_resident),
		RecordsResidentPeak: uint64(from.records_resident_peak),
		BytesUnspilled:      uint64(from.bytes_unspilled),
		BytesClean:          uint64(from.bytes_clean),
		BytesFree:           uint64(from.bytes_free),
		BytesResident:       uint64(from.bytes_resident),
		BytesResidentPeak:   uint64(from.bytes_resident_peak),
		BytesPinned:         uint64(from.bytes_pinned),
		BytesSoft:           uint64(from.bytes_soft),
		BytesHard:           uint64(from.bytes_hard),
		RecordsSoft:         uint64(from.records_soft),
		RecordsHard:         uint64(from.records_hard),
		Spills:              uint64(from.spills),
		RecordsSpilled:      uint64(from.records_spilled),
		PayloadBytesSpilled: uint64(from.payload_bytes_spilled),
		SpillLast:           nanoseconds(uint64(from.spill_ns_last)),
		SpillTotal:          nanoseconds(uint64(from.spill_ns_total)),
		SpillErrors:         uint64(from.spill_errors),
		AddersWaiting:       uint64(from.adders_waiting),
		Waits:               uint64(from.waits),
		WaitTotal:           nanoseconds(uint64(from.wait_ns_total)),
		WaitMax:             nanoseconds(uint64(from.wait_ns_max)),
		AddsRefused:         uint64(from.adds_refused),
		RecordsCleared:      uint64(from.records_cleared),
		Evictions:           uint64(from.evictions),
		ColdReads:           uint64(from.cold_reads),
		ColdBytesRead:       uint64(from.cold_bytes_read),
		ChecksumErrors:      uint64(from.checksum_errors),
		ColdFileBytes:       uint64(from.cold_file_bytes),
		EventsLost:          uint64(from.events_lost),
		Health:              Code(from.health),
		RecordsTrimmed:      uint64(from.records_trimmed),
		RecordsOverwritten:  uint64(from.records_overwritten),
		RecordsDropped:      uint64(from.records_dropped),
		BatchesDropped:      uint64(from.batches_dropped),
		Paced:               uint64(from.paced),
		PacedTotal:          nanoseconds(uint64(from.paced_ns_total)),
		AddersSyncing:       uint64(from.adders_syncing),
		Promotions:          uint64(from.promotions),
		ReadsMemory:         uint64(from.reads_memory),
		ReadsCold:           uint64(from.reads_cold),
	}
}

func rawStreamStats(store storeHandle, stream Stream) (StreamStats, error) {
	c := newCall()
	from := C.spw_stream_stats{struct_size: C.sizeof_spw_stream_stats}
	if err := c.done(C.spw_store_stream_stats(store, C.uint32_t(stream), &from, &c.err)); err != nil {
		return StreamStats{}, err
	}
	return StreamStats{
		HasTimes:        from.flags&C.SPW_STREAM_HAS_TIMES != 0,
		BeginSeq:        uint64(from.begin_seq),
		SpilledSeq:      uint64(from.spilled_seq),
		TailSeq:         uint64(from.tail_seq),
		RecordsResident: uint64(from.records_resident),
		BytesUnspilled:  uint64(from.bytes_unspilled),
	}, nil
}

// rawEvents drains at most `most` events.
func rawEvents(store storeHandle, most int) ([]Event, error) {
	c := newCall()
	from := make([]C.spw_event, most)
	status := C.spw_store_events(store, unsafe.SliceData(from), C.sizeof_spw_event, C.size_t(most),
		&c.size, &c.err)
	from = from[:c.size]
	if err := c.done(status); err != nil {
		return nil, err
	}
	events := make([]Event, len(from))
	for i := range from {
		each := &from[i]
		events[i] = Event{
			Kind:   EventKind(each.kind),
			Stream: Stream(each.stream),
			Code:   Code(each.code),
			Time:   unixNanoseconds(uint64(each.time_ns)),
			Seq:    uint64(each.seq),
			Count:  uint64(each.count),
			Value:  uint64(each.value),
		}
	}
	return events, nil
}

func rawVerify(store storeHandle, stream Stream, bytesPerSecond uint64, op opHandle) (reportHandle,
	error) {
	c := newCall()
	status := C.spw_store_verify(store, C.uint32_t(stream), 0, C.uint64_t(bytesPerSecond), op,
		&c.report, &c.err)
	report := c.report
	return report, c.done(status)
}

// rawReportRecords gives a report without its ranges.
func rawReportRecords(report reportHandle) (RecordReport, error) {
	c := newCall()
	from := C.spw_record_summary{struct_size: C.sizeof_spw_record_summary}
	err := c.done(C.spw_report_records(report, &from, &c.err))
	return RecordReport{
		Streams:        uint64(from.streams),
		Records:        uint64(from.records),
		RecordsDamaged: uint64(from.records_damaged),
		Bytes:          uint64(from.bytes),
		Found:          uint64(from.ranges),
	}, err
}

func rawReportRange(report reportHandle, index uint64) (RecordRange, error) {
	c := newCall()
	from := C.spw_record_range{struct_size: C.sizeof_spw_record_range}
	err := c.done(C.spw_report_range(report, C.uint64_t(index), &from, &c.err))
	return RecordRange{Code(from.code), Stream(from.stream), uint64(from.begin_seq),
		uint64(from.end_seq), C.GoStringN(from.message, C.int(from.message_len))}, err
}
