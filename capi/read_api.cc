// Reading: point reads, gather, cursors, batches.

#include <algorithm>
#include <cstring>
#include <span>

#include "capi/arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "capi/structs.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::InvalidArgument;
using spillway::base::Result;
using spillway::base::Status;
using spillway::hybrid::Cursor;
using spillway::hybrid::Gathered;
using spillway::hybrid::PinnedColumns;
using spillway::hybrid::Stream;
using spillway::record::Columns;

namespace {

spw_view MakeView(const Columns& columns) {
  spw_view view = {};
  view.first_seq = columns.first_seq;
  view.count = columns.count;
  if (columns.count > 0) {
    view.flags = SPW_VIEW_DENSE;
    view.data = PlaceOf(columns.data);
    view.data_len = columns.begin[columns.count];
    view.begin = columns.begin;
    view.end = columns.begin + 1;
    view.times = columns.times;
  }
  return view;
}

// The use of a cursor by one thread.
class CursorCall {
 public:
  CursorCall() = default;
  ~CursorCall() {
    if (cursor_ != nullptr) {
      cursor_->busy.store(false, std::memory_order_release);
    }
  }
  CursorCall(const CursorCall&) = delete;
  CursorCall& operator=(const CursorCall&) = delete;

  Status Enter(spw_cursor* cursor) {
    SPW_RETURN_IF_ERROR(CheckHandle(cursor));
    if (cursor->cursor.store()->fork_guard()->forked()) {
      return Status(Code::kForked);
    }
    if (cursor->busy.exchange(true, std::memory_order_acquire)) {
      return {Code::kInvalidState, "the cursor is in use by another thread"};
    }
    cursor_ = cursor;
    return store_call_.Enter(cursor->cursor.store().get());
  }

 private:
  spw_cursor* cursor_ = nullptr;
  StoreCall store_call_;
};

Status CheckScan(const spw_scan& scan) {
  constexpr uint32_t kLater = SPW_SCAN_REVERSE | SPW_SCAN_FOLLOW | SPW_SCAN_TIME_RANGE;
  if ((scan.flags & ~kLater) != 0) {
    return {Code::kUnsupported, "unknown flags " + std::to_string(scan.flags) + " in spw_scan"};
  }
  if (scan.flags != 0) {
    return {Code::kUnsupported, "reverse, follow and time range are not there yet"};
  }
  if (scan.reserved != 0 || scan.time_begin != 0 || scan.time_end != 0) {
    return InvalidArgument("spw_scan: reserved, time_begin and time_end must be 0");
  }
  if (scan.begin_seq > scan.end_seq) {
    return InvalidArgument("spw_scan: begin_seq " + std::to_string(scan.begin_seq) +
                           " is above end_seq " + std::to_string(scan.end_seq));
  }
  return {};
}

}  // namespace

extern "C" {

spw_status spw_store_read(const spw_store* store, uint32_t stream, uint64_t seq, void* buffer,
                          uint64_t cap, uint64_t* len, int64_t* time, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(len, "len"));
    *len = 0;
    if (time != nullptr) {
      *time = 0;
    }
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    if (cap > 0) {
      SPW_RETURN_IF_ERROR(CheckPointer(buffer, "buffer"));
    }
    Result<Stream*> found = call->FindStream(stream);
    SPW_RETURN_IF_ERROR(found.status());
    PinnedColumns one;
    SPW_RETURN_IF_ERROR(call->reader().Read(found.value(), seq, &one));
    const std::span<const uint8_t> payload = one.columns.payload(0);
    *len = payload.size();
    if (payload.size() > cap) {
      return {Code::kTooBig, "the record has " + std::to_string(payload.size()) +
                                 " bytes, the buffer " + std::to_string(cap)};
    }
    if (!payload.empty()) {
      std::memcpy(buffer, payload.data(), payload.size());
    }
    if (time != nullptr && one.columns.times != nullptr) {
      *time = one.columns.times[0];
    }
    return {};
  });
}

spw_status spw_store_gather(const spw_store* store, uint32_t stream, const uint64_t* seqs,
                            size_t count, spw_batch** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    if (count > 0) {
      SPW_RETURN_IF_ERROR(CheckPointer(seqs, "seqs"));
    }
    Result<Stream*> found = call->FindStream(stream);
    SPW_RETURN_IF_ERROR(found.status());
    auto batch = std::make_unique<spw_batch>();
    Result<std::shared_ptr<const Gathered>> gathered =
        call->reader().Gather(found.value(), std::span(seqs, count));
    SPW_RETURN_IF_ERROR(gathered.status());
    const Gathered& records = *gathered.value();
    batch->fork_guard = call->fork_guard();
    if (count > 0) {
      batch->view.count = count;
      batch->view.first_seq = records.seqs[0];
      batch->view.data = PlaceOf(records.data.data());
      batch->view.data_len = records.data.size();
      batch->view.begin = records.begin.data();
      batch->view.end = records.end.data();
      batch->view.seqs = records.seqs.data();
      batch->view.times = records.times.empty() ? nullptr : records.times.data();
    }
    batch->owner = std::move(gathered.value());
    *out = batch.release();
    return {};
  });
}

spw_status spw_cursor_open(spw_store* store, const spw_scan* scan, const spw_options* filter,
                           spw_cursor** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    SPW_RETURN_IF_ERROR(CheckPointer(scan, "scan"));
    spw_scan given = {};
    SPW_RETURN_IF_ERROR(ReadStruct(scan, "spw_scan", &given));
    SPW_RETURN_IF_ERROR(CheckScan(given));
    if (filter != nullptr) {
      SPW_RETURN_IF_ERROR(CheckHandle(filter));
      return {Code::kUnsupported, "filters are not there yet"};
    }
    Result<Stream*> found = call->FindStream(given.stream);
    SPW_RETURN_IF_ERROR(found.status());
    *out = new spw_cursor(Cursor(store->store, found.value(), given.begin_seq, given.end_seq));
    return {};
  });
}

spw_status spw_cursor_range(const spw_cursor* cursor, uint64_t* begin, uint64_t* end,
                            spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(begin, "begin"));
    SPW_RETURN_IF_ERROR(CheckPointer(end, "end"));
    *begin = 0;
    *end = 0;
    SPW_RETURN_IF_ERROR(CheckHandle(cursor));
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(cursor->cursor.store().get()));
    *begin = cursor->cursor.begin_seq();
    *end = cursor->cursor.end_seq();
    return {};
  });
}

spw_status spw_cursor_next(spw_cursor* cursor, uint64_t max_records, uint64_t max_bytes,
                           int64_t timeout_ms, spw_op* op, spw_view* out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_view"));
    CursorCall call;
    SPW_RETURN_IF_ERROR(call.Enter(cursor));
    if (max_records == 0 || max_bytes == 0) {
      return InvalidArgument("max_records and max_bytes must be at least 1");
    }
    if (timeout_ms < SPW_WAIT_DEFAULT) {
      return InvalidArgument("timeout_ms is " + std::to_string(timeout_ms));
    }
    OpCall op_call;
    SPW_RETURN_IF_ERROR(op_call.Enter(op));
    if (op_call.get() != nullptr && op_call.get()->cancelled()) {
      return Status(Code::kCancelled);
    }
    Columns columns;
    SPW_RETURN_IF_ERROR(cursor->cursor.Next(max_records, max_bytes, &columns));
    WriteStruct(out, MakeView(columns));
    return {};
  });
}

spw_status spw_cursor_seek(spw_cursor* cursor, uint64_t seq, spw_error** err) {
  return Guard(err, [&]() -> Status {
    CursorCall call;
    SPW_RETURN_IF_ERROR(call.Enter(cursor));
    return cursor->cursor.Seek(seq);
  });
}

spw_status spw_cursor_detach(spw_cursor* cursor, spw_batch** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    CursorCall call;
    SPW_RETURN_IF_ERROR(call.Enter(cursor));
    const PinnedColumns& view = cursor->cursor.view();
    if (view.owner == nullptr) {
      return {Code::kInvalidState, "the cursor has no current view"};
    }
    auto batch = std::make_unique<spw_batch>();
    batch->owner = view.owner;
    batch->fork_guard = cursor->cursor.store()->fork_guard();
    batch->view = MakeView(view.columns);
    *out = batch.release();
    return {};
  });
}

void spw_cursor_free(spw_cursor* cursor) {
  if (cursor == nullptr || cursor->kind != spw_cursor::kKind) {
    return;
  }
  cursor->kind = Kind::kFreed;
  if (!cursor->cursor.store()->fork_guard()->forked()) {
    delete cursor;
  }
}

spw_status spw_batch_view(const spw_batch* batch, spw_view* out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_view"));
    SPW_RETURN_IF_ERROR(CheckHandle(batch));
    if (batch->fork_guard->forked()) {
      return Status(Code::kForked);
    }
    WriteStruct(out, batch->view);
    return {};
  });
}

void spw_batch_free(spw_batch* batch) {
  if (batch == nullptr || batch->kind != spw_batch::kKind) {
    return;
  }
  batch->kind = Kind::kFreed;
  if (!batch->fork_guard->forked()) {
    delete batch;
  }
}

}  // extern "C"
