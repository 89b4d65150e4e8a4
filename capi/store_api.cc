// spw_store: open, close, streams, records, flush, live options.

#include <atomic>
#include <cstring>

#include "capi/arguments.h"
#include "capi/file_handles.h"
#include "capi/guard.h"
#include "internal/io/posix_file.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::InvalidArgument;
using spillway::base::Result;
using spillway::base::Status;
using spillway::blockfile::BlockFile;
using spillway::blockfile::Level;
using spillway::hybrid::Store;
using spillway::hybrid::Stream;
using spillway::record::RecordBatch;
using spillway::record::Slice;

namespace {

std::atomic<uint64_t> leaked_stores{0};

static_assert(sizeof(spw_slice) == sizeof(Slice) &&
              offsetof(spw_slice, len) == offsetof(Slice, bytes));

Status CheckTimeout(int64_t timeout_ms) {
  return timeout_ms >= SPW_WAIT_DEFAULT
             ? Status()
             : InvalidArgument("timeout_ms is " + std::to_string(timeout_ms));
}

// What both forms of add do once the batch is parsed.
Status AddBatch(const StoreCall& call, uint32_t stream, const RecordBatch& batch,
                int64_t timeout_ms, spw_op* op, uint64_t* first_seq) {
  SPW_RETURN_IF_ERROR(CheckTimeout(timeout_ms));
  OpCall op_call;
  SPW_RETURN_IF_ERROR(op_call.Enter(op));
  uint64_t first = SPW_SEQ_NONE;
  const Status status = spillway::base::CatchToStatus(
      [&] { return call->Add(stream, batch, timeout_ms, op_call.get(), &first); });
  if (first_seq != nullptr) {
    *first_seq = first;  // also with an error: then it was admitted and is not durable
  }
  return status;
}

// What the trims have in common that search for where they end.
template <class Body>
spw_status TrimBy(spw_store* store, uint64_t* begin_seq, spw_error** err, Body&& body) {
  return Guard(err, [&]() -> Status {
    uint64_t begin = SPW_SEQ_NONE;
    uint64_t* const place = begin_seq != nullptr ? begin_seq : &begin;
    *place = SPW_SEQ_NONE;
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    return body(call, place);
  });
}

}  // namespace

extern "C" {

spw_status spw_store_open(const char* path, size_t path_len, const spw_options* options, spw_op* op,
                          spw_store** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    if (options != nullptr) {
      SPW_RETURN_IF_ERROR(CheckHandle(options));
    }
    std::optional<std::string> name;
    if (path != nullptr) {
      SPW_RETURN_IF_ERROR(CheckPath(path, path_len, &name.emplace()));
    }
    OpCall op_call;
    SPW_RETURN_IF_ERROR(op_call.Enter(op));
    auto handle = std::make_unique<spw_store>();
    Result<std::shared_ptr<Store>> store =
        Store::Open(spillway::io::PosixFileSystem(), name,
                    options == nullptr ? nullptr : &options->options, op_call.get());
    SPW_RETURN_IF_ERROR(store.status());
    handle->store = std::move(store.value());
    *out = handle.release();
    return {};
  });
}

spw_status spw_store_close(spw_store* store, uint32_t flags, int64_t timeout_ms, spw_op* op,
                           spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckHandle(store));
    if (store->store->fork_guard()->forked()) {
      return Status(Code::kForked);
    }
    if ((flags & ~SPW_CLOSE_DISCARD) != 0) {
      return {Code::kUnsupported, "unknown flags " + std::to_string(flags) + " for close"};
    }
    SPW_RETURN_IF_ERROR(CheckTimeout(timeout_ms));
    OpCall op_call;
    SPW_RETURN_IF_ERROR(op_call.Enter(op));
    const auto mode =
        flags == SPW_CLOSE_DISCARD ? Store::CloseMode::kDiscard : Store::CloseMode::kFlush;
    return store->store->Close(mode, timeout_ms, op_call.get());
  });
}

void spw_store_free(spw_store* store) {
  if (store == nullptr || store->kind != spw_store::kKind) {
    return;
  }
  store->kind = Kind::kFreed;
  if (store->store->fork_guard()->forked()) {
    return;  // its threads and whoever held its locks are in the other process: nothing here may be
             // touched
  }
  if (store->store->Abandon()) {
    leaked_stores.fetch_add(1, std::memory_order_relaxed);
  }
  delete store;
}

uint64_t spw_leaked_stores(void) { return leaked_stores.load(std::memory_order_relaxed); }

spw_status spw_store_stream(spw_store* store, const char* name, size_t name_len,
                            const spw_options* options, uint32_t flags, uint32_t* stream,
                            spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(stream, "stream"));
    *stream = SPW_ALL;
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    SPW_RETURN_IF_ERROR(CheckPointer(name, "name"));
    if (options != nullptr) {
      SPW_RETURN_IF_ERROR(CheckHandle(options));
    }
    if (name_len == 0) {
      return InvalidArgument("the name of a stream is empty");
    }
    if (name_len > SPW_STREAM_NAME_MAX) {
      return {Code::kTooBig, "the name of a stream has " + std::to_string(name_len) + " bytes"};
    }
    if (flags != 0 && flags != SPW_STREAM_CREATE && flags != SPW_STREAM_MUST_CREATE) {
      return {Code::kUnsupported, "unknown flags " + std::to_string(flags) + " for a stream"};
    }
    const auto mode = flags == 0                   ? Store::StreamMode::kExisting
                      : flags == SPW_STREAM_CREATE ? Store::StreamMode::kCreate
                                                   : Store::StreamMode::kMustCreate;
    Result<uint32_t> id = call->StreamId(std::string(name, name_len),
                                         options == nullptr ? nullptr : &options->options, mode);
    SPW_RETURN_IF_ERROR(id.status());
    *stream = id.value();
    return {};
  });
}

spw_status spw_store_streams(const spw_store* store, uint32_t* streams, size_t cap, size_t* count,
                             spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(count, "count"));
    *count = 0;
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    if (cap > 0) {
      SPW_RETURN_IF_ERROR(CheckPointer(streams, "streams"));
    }
    size_t n = 0;
    call->streams().ForEach([&](const Stream* stream) {
      if (n < cap) {
        streams[n] = stream->id();
      }
      ++n;
    });
    *count = n;
    return {};
  });
}

spw_status spw_store_stream_name(const spw_store* store, uint32_t stream, char* name, size_t cap,
                                 size_t* len, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(len, "len"));
    *len = 0;
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    Result<Stream*> found = call->FindStream(stream);
    SPW_RETURN_IF_ERROR(found.status());
    const std::string& text = found.value()->name();
    *len = text.size();
    if (text.size() > cap) {
      return {Code::kTooBig, "the name has " + std::to_string(text.size()) + " bytes, the buffer " +
                                 std::to_string(cap)};
    }
    SPW_RETURN_IF_ERROR(CheckPointer(name, "name"));
    std::memcpy(name, text.data(), text.size());
    return {};
  });
}

spw_status spw_store_add(spw_store* store, uint32_t stream, const void* data, uint64_t data_len,
                         const uint64_t* offsets, size_t count, const int64_t* times,
                         int64_t timeout_ms, spw_op* op, uint64_t* first_seq, spw_error** err) {
  return Guard(err, [&]() -> Status {
    if (first_seq != nullptr) {
      *first_seq = SPW_SEQ_NONE;
    }
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    if (count > 0) {
      SPW_RETURN_IF_ERROR(CheckPointer(offsets, "offsets"));
    }
    RecordBatch batch;
    SPW_RETURN_IF_ERROR(RecordBatch::Parse(data, data_len, offsets, count, times, &batch));
    return AddBatch(call, stream, batch, timeout_ms, op, first_seq);
  });
}

spw_status spw_store_addv(spw_store* store, uint32_t stream, const spw_slice* records, size_t count,
                          const int64_t* times, int64_t timeout_ms, spw_op* op, uint64_t* first_seq,
                          spw_error** err) {
  return Guard(err, [&]() -> Status {
    if (first_seq != nullptr) {
      *first_seq = SPW_SEQ_NONE;
    }
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    if (count > 0) {
      SPW_RETURN_IF_ERROR(CheckPointer(records, "records"));
    }
    RecordBatch batch;
    SPW_RETURN_IF_ERROR(
        RecordBatch::Parse(reinterpret_cast<const Slice*>(records), count, times, &batch));
    return AddBatch(call, stream, batch, timeout_ms, op, first_seq);
  });
}

spw_status spw_store_flush(spw_store* store, int32_t level, int64_t timeout_ms, spw_op* op,
                           spw_error** err) {
  return Guard(err, [&]() -> Status {
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    if (level != SPW_FLUSH_KERNEL && level != SPW_FLUSH_DEVICE) {
      return InvalidArgument("unknown flush level " + std::to_string(level));
    }
    SPW_RETURN_IF_ERROR(CheckTimeout(timeout_ms));
    OpCall op_call;
    SPW_RETURN_IF_ERROR(op_call.Enter(op));
    const auto durability = level == SPW_FLUSH_KERNEL ? spillway::cold::Durability::kKernel
                                                      : spillway::cold::Durability::kDevice;
    return call->Flush(durability, timeout_ms, op_call.get());
  });
}

spw_status spw_store_file(spw_store* store, spw_file** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    auto handle = std::make_unique<spw_file>();
    handle->fork_guard = call->fork_guard();
    Result<std::shared_ptr<BlockFile>> file = call->File();
    SPW_RETURN_IF_ERROR(file.status());
    handle->file = std::move(file.value());
    *out = handle.release();
    return {};
  });
}

spw_status spw_store_commit(spw_store* store, spw_txn* txn, int32_t level, int64_t timeout_ms,
                            spw_op* op, spw_error** err) {
  return Guard(err, [&]() -> Status {
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    SPW_RETURN_IF_ERROR(CheckHandle(txn));
    if (txn->fork_guard != call->fork_guard()) {
      return InvalidArgument("the spw_txn is of no spw_file of this store");
    }
    if (level < SPW_FLUSH_KERNEL || level > SPW_FLUSH_CHECKPOINT) {
      return InvalidArgument("unknown commit level " + std::to_string(level));
    }
    SPW_RETURN_IF_ERROR(CheckTimeout(timeout_ms));
    OpCall op_call;
    SPW_RETURN_IF_ERROR(op_call.Enter(op));
    return call->Commit(txn->txn.get(), static_cast<Level>(level), timeout_ms, op_call.get());
  });
}

spw_status spw_store_settle(spw_store* store, int64_t timeout_ms, spw_op* op, spw_error** err) {
  return Guard(err, [&]() -> Status {
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    SPW_RETURN_IF_ERROR(CheckTimeout(timeout_ms));
    OpCall op_call;
    SPW_RETURN_IF_ERROR(op_call.Enter(op));
    return call->Settle(timeout_ms, op_call.get());
  });
}

spw_status spw_store_release_memory(spw_store* store, spw_error** err) {
  return Guard(err, [&]() -> Status {
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    call->ReleaseMemory();
    return {};
  });
}

spw_status spw_store_clear(spw_store* store, uint32_t stream, spw_error** err) {
  return Guard(err, [&]() -> Status {
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    return call->Clear(stream);
  });
}

spw_status spw_store_trim(spw_store* store, uint32_t stream, uint64_t begin_seq, spw_error** err) {
  return Guard(err, [&]() -> Status {
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    return call->Trim(stream, begin_seq);
  });
}

spw_status spw_store_trim_time(spw_store* store, uint32_t stream, int64_t time, uint64_t* begin_seq,
                               spw_error** err) {
  return TrimBy(store, begin_seq, err, [&](const StoreCall& call, uint64_t* begin) {
    return call->TrimByTime(stream, time, begin);
  });
}

spw_status spw_store_trim_bytes(spw_store* store, uint32_t stream, uint64_t bytes_most,
                                uint64_t* begin_seq, spw_error** err) {
  return TrimBy(store, begin_seq, err, [&](const StoreCall& call, uint64_t* begin) {
    return call->TrimByBytes(stream, bytes_most, begin);
  });
}

spw_status spw_store_set_i64(spw_store* store, uint32_t stream, int32_t key, int64_t value,
                             spw_error** err) {
  return Guard(err, [&]() -> Status {
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    Stream* target = nullptr;
    if (stream != SPW_ALL) {
      Result<Stream*> found = call->FindStream(stream);
      SPW_RETURN_IF_ERROR(found.status());
      target = found.value();
    }
    return call->SetOption(target, key, value);
  });
}

spw_status spw_store_get_i64(const spw_store* store, uint32_t stream, int32_t key, int64_t* value,
                             spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(value, "value"));
    *value = 0;
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    const Stream* target = nullptr;
    if (stream != SPW_ALL) {
      Result<Stream*> found = call->FindStream(stream);
      SPW_RETURN_IF_ERROR(found.status());
      target = found.value();
    }
    Result<int64_t> option = call->GetOption(target, key);
    SPW_RETURN_IF_ERROR(option.status());
    *value = option.value();
    return {};
  });
}

}  // extern "C"
