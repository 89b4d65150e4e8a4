// A store as a C program has it, in words that suit a test: records are copies, a call returns its
// spw_status. It may stand on a simulated disk; all else goes through spillway.h.
//
// Open and Close belong to one thread, the other calls to any. The disk outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "internal/io/file.h"
#include "spillway.h"

namespace spillway::test {

struct Record {
  std::string payload;
  int64_t time = 0;

  friend bool operator==(const Record&, const Record&) = default;
};
using Records = std::vector<Record>;

// Keys are SPW_OPT_*.
using Settings = std::vector<std::pair<int32_t, int64_t>>;

enum class Form { kPacked, kVectored };

// Reads the records of a detached batch; copies share it.
using Detached = std::function<Records()>;

class TestCursor {
 public:
  explicit TestCursor(spw_cursor* cursor) : cursor_(cursor) {}
  ~TestCursor() { spw_cursor_free(cursor_); }
  TestCursor(const TestCursor&) = delete;
  TestCursor& operator=(const TestCursor&) = delete;

  // The snapshot's range, as it was told right after the open.
  uint64_t begin_seq() const { return begin_seq_; }
  uint64_t end_seq() const { return end_seq_; }
  spw_status ReadRange() { return spw_cursor_range(cursor_, &begin_seq_, &end_seq_, nullptr); }

  spw_status Next(uint64_t max_records, uint64_t max_bytes, uint64_t* first_seq, Records* out);
  spw_status Seek(uint64_t seq) { return spw_cursor_seek(cursor_, seq, nullptr); }
  spw_status Detach(Detached* out);

 private:
  spw_cursor* const cursor_;
  uint64_t begin_seq_ = 0;
  uint64_t end_seq_ = 0;
};

class TestStore {
 public:
  // Without a path: in memory only. Without a disk: that of the machine.
  explicit TestStore(std::optional<std::string> path, io::FileSystem* disk = nullptr)
      : path_(std::move(path)), disk_(disk) {}
  ~TestStore() { Drop(); }
  TestStore(const TestStore&) = delete;
  TestStore& operator=(const TestStore&) = delete;

  spw_status Open(const Settings& settings);
  spw_status Close(uint32_t flags = 0, int64_t timeout_ms = SPW_WAIT_FOREVER);
  // Frees the handle, closed or not, and waits until the store has let go of its files.
  void Drop();
  spw_store* handle() const { return handle_; }

  // The stream `name`, created if there is none.
  spw_status Stream(const std::string& name, const Settings& settings, uint32_t* id);
  std::vector<uint32_t> Streams();
  std::string NameOf(uint32_t stream);

  spw_status Add(uint32_t stream, const Records& records, bool has_times, Form form,
                 uint64_t* first_seq, int64_t timeout_ms = SPW_WAIT_DEFAULT, spw_op* op = nullptr);
  spw_status Flush(int32_t level, int64_t timeout_ms = SPW_WAIT_FOREVER, spw_op* op = nullptr) {
    return spw_store_flush(handle_, level, timeout_ms, op, nullptr);
  }
  spw_status Clear(uint32_t stream) { return spw_store_clear(handle_, stream, nullptr); }
  spw_status Trim(uint32_t stream, uint64_t begin_seq) {
    return spw_store_trim(handle_, stream, begin_seq, nullptr);
  }
  spw_status Set(uint32_t stream, int32_t key, int64_t value) {
    return spw_store_set_i64(handle_, stream, key, value, nullptr);
  }

  spw_status Read(uint32_t stream, uint64_t seq, Record* out);
  // On failure *bad is the index to blame.
  spw_status Gather(uint32_t stream, const std::vector<uint64_t>& seqs, Records* out, int64_t* bad);
  // Null on failure, with the reason in *status.
  std::unique_ptr<TestCursor> Cursor(uint32_t stream, uint64_t begin_seq, uint64_t end_seq,
                                     spw_status* status = nullptr);

  spw_stats Stats();
  spw_stream_stats StreamStats(uint32_t stream);
  std::vector<spw_event> Events();

 private:
  spw_status OpenHandle(const spw_options* options);
  void AwaitUnlocked() const;

  const std::optional<std::string> path_;
  io::FileSystem* const disk_;
  spw_store* handle_ = nullptr;
};

Records RecordsOf(const spw_view& view);

}  // namespace spillway::test
