// Limits with a disk: frames in a plain file, appended through the page cache or written around it.
//
// A frame is one batch: Header, the ends of its records as u32, their bytes, zeros up to a multiple
// of 8. No checksum, no recovery: bounds for a store, not a store.
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include "tests/bench/files.h"
#include "tests/bench/store.h"

namespace spillway::bench {
namespace {

struct Header {
  uint64_t count;
  uint64_t payload_bytes;
};
static_assert(sizeof(Header) == 16);

constexpr size_t kPadding = 8;
constexpr std::array<char, kPadding> kZeros = {};

size_t FrameBytes(const Header& header) {
  const size_t bytes = header.count * sizeof(uint32_t) + header.payload_bytes;
  return (bytes + kPadding - 1) / kPadding * kPadding;
}

// Where frames go.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void Write(std::span<const iovec> parts, size_t bytes) = 0;
  virtual void Close() = 0;  // durable
};

class AppendSink final : public Sink {
 public:
  AppendSink(const std::string& path, Durability durability) : durability_(durability) {
    file_.Open(path, O_WRONLY | O_CREAT | O_TRUNC);
  }
  void Write(std::span<const iovec> parts, size_t bytes) override {
    const ssize_t written = writev(file_.get(), parts.data(), static_cast<int>(parts.size()));
    if (written < 0 || static_cast<size_t>(written) != bytes) {
      DieErrno("writev");
    }
    if (durability_ == Durability::kEachBatch) {
      Sync();
    }
  }
  void Close() override {
    Sync();
    file_.Reset();
  }

 private:
  void Sync() const {
    if (fdatasync(file_.get()) != 0) {
      DieErrno("fdatasync");
    }
  }

  const Durability durability_;
  Fd file_;
};

// Four buffers in a ring: the caller fills one while a second thread writes the full ones with
// O_DIRECT, in order.
class DirectSink final : public Sink {
 public:
  explicit DirectSink(const std::string& path) : path_(path) {
    file_.Open(path, O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT);
    for (Buffer& buffer : buffers_) {
      buffer.data = static_cast<char*>(std::aligned_alloc(kAlign, kBufferBytes));
      std::memset(buffer.data, 0, kBufferBytes);
    }
    writer_ = std::thread([this] { WriteBuffers(); });
  }
  ~DirectSink() override {
    for (Buffer& buffer : buffers_) {
      std::free(buffer.data);
    }
  }
  void Write(std::span<const iovec> parts, size_t) override {
    for (const iovec& part : parts) {
      const char* from = static_cast<const char*>(part.iov_base);
      size_t left = part.iov_len;
      while (left > 0) {
        const size_t n = std::min(left, kBufferBytes - used_);
        std::memcpy(buffers_[filling_].data + used_, from, n);
        from += n;
        left -= n;
        used_ += n;
        if (used_ == kBufferBytes) {
          Hand(kBufferBytes);
        }
      }
    }
  }
  void Close() override {
    const uint64_t size = handed_ + used_;
    const size_t padded = (used_ + kAlign - 1) / kAlign * kAlign;
    std::memset(buffers_[filling_].data + used_, 0, padded - used_);
    Hand(padded);
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    writer_.join();
    if (ftruncate(file_.get(), static_cast<off_t>(size)) != 0 || fdatasync(file_.get()) != 0) {
      DieErrno(path_);
    }
    file_.Reset();
  }

 private:
  static constexpr size_t kAlign = 4096;
  static constexpr size_t kBufferBytes = size_t{8} << 20;
  static constexpr size_t kBuffers = 4;

  struct Buffer {
    char* data = nullptr;
    size_t full = 0;  // bytes to write; 0: free
  };

  // The buffer being filled goes to the writer; waits until the next one is free.
  void Hand(size_t bytes) {
    std::unique_lock lock(mutex_);
    buffers_[filling_].full = bytes;
    changed_.notify_all();
    handed_ += bytes;
    used_ = 0;
    filling_ = (filling_ + 1) % kBuffers;
    changed_.wait(lock, [this] { return buffers_[filling_].full == 0; });
  }

  void WriteBuffers() {
    uint64_t offset = 0;
    for (size_t i = 0;; i = (i + 1) % kBuffers) {
      size_t bytes = 0;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return buffers_[i].full > 0 || done_; });
        bytes = buffers_[i].full;
      }
      if (bytes == 0) {
        return;
      }
      const ssize_t n = pwrite(file_.get(), buffers_[i].data, bytes, static_cast<off_t>(offset));
      if (n < 0 || static_cast<size_t>(n) != bytes) {
        DieErrno("pwrite with O_DIRECT");
      }
      offset += bytes;
      {
        const std::lock_guard lock(mutex_);
        buffers_[i].full = 0;
      }
      changed_.notify_all();
    }
  }

  const std::string path_;
  Fd file_;
  size_t filling_ = 0;
  size_t used_ = 0;  // of the buffer being filled
  uint64_t handed_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Buffer, kBuffers> buffers_;  // `full` under mutex_
  bool done_ = false;                     // under mutex_
  std::thread writer_;
};

class FileStore final : public Store {
 public:
  enum class Way { kAppend, kDirect };
  FileStore(Way way, Durability durability) : way_(way), durability_(durability) {}

  void Create(const std::string& folder) override {
    if (way_ == Way::kDirect) {
      sink_ = std::make_unique<DirectSink>(folder + "/frames");
    } else {
      sink_ = std::make_unique<AppendSink>(folder + "/frames", durability_);
    }
  }

  void Add(const Batch& batch) override {
    Header header{.count = batch.count, .payload_bytes = batch.bytes()};
    ends_.resize(batch.count);
    for (size_t i = 0; i < batch.count; ++i) {
      ends_[i] = static_cast<uint32_t>(batch.offsets[i + 1]);
    }
    const size_t ends_bytes = batch.count * sizeof(uint32_t);
    const size_t padding = FrameBytes(header) - ends_bytes - batch.bytes();
    const std::array<iovec, 4> parts = {iovec{&header, sizeof(header)},
                                        iovec{ends_.data(), ends_bytes},
                                        iovec{const_cast<char*>(batch.data), batch.bytes()},
                                        iovec{const_cast<char*>(kZeros.data()), padding}};
    sink_->Write(parts, sizeof(header) + FrameBytes(header));
  }

  void Close() override {
    if (sink_) {
      sink_->Close();
      sink_.reset();
    }
    file_.Reset();
    index_.clear();
    starts_.clear();
  }

  void Open(const std::string& folder) override { file_.Open(folder + "/frames", O_RDONLY); }

  void Scan(RecordHash* hash) override {
    posix_fadvise(file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    Header header;
    uint64_t offset = 0;
    if (!ReadAt(&header, sizeof(header), 0)) {
      return;
    }
    for (bool more = true; more;) {
      // With the next frame's header, so that a frame costs one call.
      const size_t bytes = FrameBytes(header);
      frame_.resize(bytes + sizeof(header));
      offset += sizeof(header);
      more = ReadAt(frame_.data(), bytes + sizeof(header), offset);
      const auto* ends = reinterpret_cast<const uint32_t*>(frame_.data());
      const char* payload = frame_.data() + header.count * sizeof(uint32_t);
      uint32_t begin = 0;
      for (size_t i = 0; i < header.count; ++i) {
        hash->Add(payload + begin, ends[i] - begin);
        begin = ends[i];
      }
      std::memcpy(&header, frame_.data() + bytes, sizeof(header));
      offset += bytes;
    }
  }

  size_t Read(uint64_t seq, std::span<char> buffer) override {
    if (index_.empty()) {
      LoadIndex();
    }
    const uint64_t begin = index_[seq];
    const size_t len = starts_[seq + 1] - starts_[seq];
    if (pread(file_.get(), buffer.data(), len, static_cast<off_t>(begin)) !=
        static_cast<ssize_t>(len)) {
      DieErrno("pread");
    }
    return len;
  }

 private:
  // False at the end of the file, where the last frame may be followed by nothing.
  bool ReadAt(void* to, size_t bytes, uint64_t offset) const {
    const ssize_t got = pread(file_.get(), to, bytes, static_cast<off_t>(offset));
    if (got < 0) {
      DieErrno("pread");
    }
    return static_cast<size_t>(got) == bytes;
  }

  // File offset and payload start of every record, in memory: the best that a plain file can have.
  void LoadIndex() {
    uint64_t offset = 0;
    uint64_t start = 0;
    Header header;
    std::vector<uint32_t> ends;
    while (ReadAt(&header, sizeof(header), offset)) {
      ends.resize(header.count);
      const size_t ends_bytes = header.count * sizeof(uint32_t);
      ReadAt(ends.data(), ends_bytes, offset + sizeof(header));
      const uint64_t payload = offset + sizeof(header) + ends_bytes;
      uint32_t begin = 0;
      for (const uint32_t end : ends) {
        index_.push_back(payload + begin);
        starts_.push_back(start + begin);
        begin = end;
      }
      start += begin;
      offset += sizeof(header) + FrameBytes(header);
    }
    starts_.push_back(start);
  }

  const Way way_;
  const Durability durability_;
  std::unique_ptr<Sink> sink_;
  std::vector<uint32_t> ends_;
  Fd file_;
  std::vector<char> frame_;
  std::vector<uint64_t> index_;
  std::vector<uint64_t> starts_;
};

Contestant FileContestant(const char* name, FileStore::Way way, Durability durability,
                          const char* options) {
  return Contestant{
      .name = name,
      .durability = durability,
      .options = options,
      .reads = way == FileStore::Way::kAppend && durability == Durability::kAtEnd,
      .make = [=](const Budget&) { return std::make_unique<FileStore>(way, durability); }};
}

}  // namespace

void AddFileLimits(std::vector<Contestant>* all) {
  all->push_back(FileContestant("file", FileStore::Way::kAppend, Durability::kAtEnd,
                                "writev per batch, fdatasync at the end"));
  all->push_back(FileContestant("file", FileStore::Way::kAppend, Durability::kEachBatch,
                                "writev and fdatasync per batch"));
  all->push_back(FileContestant("file_direct", FileStore::Way::kDirect, Durability::kAtEnd,
                                "O_DIRECT from a second thread, four buffers of 8 MiB, fdatasync "
                                "at the end"));
}

}  // namespace spillway::bench
