#include "tests/support/test_store.h"

#include <thread>

#include "capi/handles.h"
#include "gtest/gtest.h"
#include "internal/io/posix_file.h"

namespace spillway::test {

namespace {

template <class Struct>
Struct Sized() {
  Struct empty = {};
  empty.struct_size = sizeof empty;
  return empty;
}

// A caller's batch in one of its two forms. Vectors never give null for something: data() of an
// empty one may be null, which the API allows for records without bytes.
struct CallerBatch {
  std::string data = "not part of the first record";
  std::vector<uint64_t> offsets;
  std::vector<spw_slice> slices;
  std::vector<int64_t> times;

  CallerBatch(const Records& records, bool has_times, Form form) {
    offsets.push_back(data.size());
    for (const Record& record : records) {
      if (form == Form::kPacked) {
        data += record.payload;
        offsets.push_back(data.size());
      } else {
        slices.push_back({record.payload.data(), record.payload.size()});
      }
      if (has_times) {
        times.push_back(record.time);
      }
    }
  }
};

using OptionsHandle = std::unique_ptr<spw_options, void (*)(spw_options*)>;

spw_status MakeOptions(const Settings& settings, OptionsHandle* out) {
  spw_options* options = nullptr;
  spw_status status = spw_options_new(&options, nullptr);
  *out = OptionsHandle(options, spw_options_free);
  for (size_t i = 0; i < settings.size() && status == SPW_OK; ++i) {
    status = spw_options_set_i64(options, settings[i].first, settings[i].second, nullptr);
  }
  return status;
}

}  // namespace

Records RecordsOf(const spw_view& view) {
  Records records(view.count);
  for (uint64_t i = 0; i < view.count; ++i) {
    records[i].payload.assign(reinterpret_cast<const char*>(view.data) + view.begin[i],
                              view.end[i] - view.begin[i]);
    records[i].time = view.times == nullptr ? 0 : view.times[i];
  }
  return records;
}

spw_status TestCursor::Next(uint64_t max_records, uint64_t max_bytes, uint64_t* first_seq,
                            Records* out) {
  auto view = Sized<spw_view>();
  const spw_status status =
      spw_cursor_next(cursor_, max_records, max_bytes, SPW_NO_WAIT, nullptr, &view, nullptr);
  *out = RecordsOf(view);
  *first_seq = view.first_seq;
  return status;
}

spw_status TestCursor::Detach(Detached* out) {
  spw_batch* batch = nullptr;
  const spw_status status = spw_cursor_detach(cursor_, &batch, nullptr);
  if (status == SPW_OK) {
    *out = [shared = std::shared_ptr<spw_batch>(batch, spw_batch_free)] {
      auto view = Sized<spw_view>();
      EXPECT_EQ(spw_batch_view(shared.get(), &view, nullptr), SPW_OK);
      return RecordsOf(view);
    };
  }
  return status;
}

spw_status TestStore::Open(const Settings& settings) {
  OptionsHandle options(nullptr, spw_options_free);
  const spw_status status = MakeOptions(settings, &options);
  return status == SPW_OK ? OpenHandle(options.get()) : status;
}

spw_status TestStore::OpenHandle(const spw_options* options) {
  if (disk_ == nullptr) {
    return spw_store_open(path_ ? path_->data() : nullptr, path_ ? path_->size() : 0, options,
                          nullptr, &handle_, nullptr);
  }
  const base::Status status = base::CatchToStatus([&]() -> base::Status {
    auto handle = std::make_unique<spw_store>();
    auto store = hybrid::Store::Open(disk_, path_, &options->options, nullptr);
    SPW_RETURN_IF_ERROR(store.status());
    handle->store = std::move(store.value());
    handle_ = handle.release();
    return {};
  });
  return static_cast<spw_status>(status.code());
}

spw_status TestStore::Close(uint32_t flags, int64_t timeout_ms) {
  return spw_store_close(handle_, flags, timeout_ms, nullptr, nullptr);
}

void TestStore::Drop() {
  if (handle_ != nullptr) {
    spw_store_free(std::exchange(handle_, nullptr));
    AwaitUnlocked();
  }
}

// The lock is the last thing that a store gives up.
void TestStore::AwaitUnlocked() const {
  if (!path_.has_value()) {
    return;
  }
  for (;;) {
    auto lock = io::PosixFileSystem()->OpenFile(*path_ + "-lock", io::Open::kExisting);
    if (!lock.ok()) {  // the file itself is locked then
      lock = io::PosixFileSystem()->OpenFile(*path_, io::Open::kExisting);
    }
    if (!lock.ok() || lock.value()->Lock().ok()) {
      return;
    }
    std::this_thread::yield();
  }
}

spw_status TestStore::Stream(const std::string& name, const Settings& settings, uint32_t* id) {
  OptionsHandle options(nullptr, spw_options_free);
  const spw_status status = MakeOptions(settings, &options);
  if (status != SPW_OK) {
    return status;
  }
  return spw_store_stream(handle_, name.data(), name.size(), options.get(), SPW_STREAM_CREATE, id,
                          nullptr);
}

std::vector<uint32_t> TestStore::Streams() {
  size_t count = 0;
  EXPECT_EQ(spw_store_streams(handle_, nullptr, 0, &count, nullptr), SPW_OK);
  std::vector<uint32_t> ids(count);
  EXPECT_EQ(spw_store_streams(handle_, ids.data(), count, &count, nullptr), SPW_OK);
  return ids;
}

std::string TestStore::NameOf(uint32_t stream) {
  std::string name(SPW_STREAM_NAME_MAX, '\0');
  size_t len = 0;
  EXPECT_EQ(spw_store_stream_name(handle_, stream, name.data(), name.size(), &len, nullptr),
            SPW_OK);
  name.resize(len);
  return name;
}

spw_status TestStore::Add(uint32_t stream, const Records& records, bool has_times, Form form,
                          uint64_t* first_seq, int64_t timeout_ms, spw_op* op) {
  const CallerBatch batch(records, has_times, form);
  const int64_t* const times = has_times ? batch.times.data() : nullptr;
  if (form == Form::kVectored) {
    return spw_store_addv(handle_, stream, batch.slices.data(), records.size(), times, timeout_ms,
                          op, first_seq, nullptr);
  }
  return spw_store_add(handle_, stream, batch.data.data(), batch.data.size(), batch.offsets.data(),
                       records.size(), times, timeout_ms, op, first_seq, nullptr);
}

spw_status TestStore::Read(uint32_t stream, uint64_t seq, Record* out) {
  uint64_t len = 0;
  out->payload.clear();
  spw_status status = spw_store_read(handle_, stream, seq, nullptr, 0, &len, &out->time, nullptr);
  if (status == SPW_TOO_BIG) {
    out->payload.resize(len);
    status =
        spw_store_read(handle_, stream, seq, out->payload.data(), len, &len, &out->time, nullptr);
  }
  return status;
}

spw_status TestStore::Gather(uint32_t stream, const std::vector<uint64_t>& seqs, Records* out,
                             int64_t* bad) {
  spw_batch* batch = nullptr;
  spw_error* error = nullptr;
  const spw_status status =
      spw_store_gather(handle_, stream, seqs.data(), seqs.size(), &batch, &error);
  *bad = spw_error_record(error);
  spw_error_free(error);
  if (status == SPW_OK) {
    auto view = Sized<spw_view>();
    EXPECT_EQ(spw_batch_view(batch, &view, nullptr), SPW_OK);
    *out = RecordsOf(view);
    for (size_t i = 0; i < seqs.size() && view.count == seqs.size(); ++i) {
      EXPECT_EQ(view.seqs[i], seqs[i]);
    }
    spw_batch_free(batch);
  }
  return status;
}

std::unique_ptr<TestCursor> TestStore::Cursor(uint32_t stream, uint64_t begin_seq, uint64_t end_seq,
                                              spw_status* status) {
  auto scan = Sized<spw_scan>();
  scan.stream = stream;
  scan.begin_seq = begin_seq;
  scan.end_seq = end_seq;
  spw_cursor* cursor = nullptr;
  spw_status opened = spw_cursor_open(handle_, &scan, nullptr, &cursor, nullptr);
  std::unique_ptr<TestCursor> made;
  if (opened == SPW_OK) {
    made = std::make_unique<TestCursor>(cursor);
    opened = made->ReadRange();
  }
  if (status != nullptr) {
    *status = opened;
  }
  return opened == SPW_OK ? std::move(made) : nullptr;
}

spw_stats TestStore::Stats() {
  auto stats = Sized<spw_stats>();
  EXPECT_EQ(spw_store_stats(handle_, &stats, nullptr), SPW_OK);
  return stats;
}

spw_stream_stats TestStore::StreamStats(uint32_t stream) {
  auto stats = Sized<spw_stream_stats>();
  EXPECT_EQ(spw_store_stream_stats(handle_, stream, &stats, nullptr), SPW_OK);
  return stats;
}

std::vector<spw_event> TestStore::Events() {
  std::vector<spw_event> events(256);
  size_t count = 0;
  EXPECT_EQ(
      spw_store_events(handle_, events.data(), sizeof(spw_event), events.size(), &count, nullptr),
      SPW_OK);
  events.resize(count);
  return events;
}

}  // namespace spillway::test
