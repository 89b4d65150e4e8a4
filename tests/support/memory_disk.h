// A disk in memory behind io::FileSystem, for tests that open a file thousands of times: no locks,
// no faults, and it counts what is written.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "internal/io/file.h"

namespace spillway::test {

// Not thread-safe.
class MemoryDisk final : public io::FileSystem {
 public:
  using Status = base::Status;

  // What stands under that name; a new file if there is none.
  std::string& operator[](const std::string& path) {
    std::shared_ptr<std::string>& bytes = files_[path];
    bytes = bytes == nullptr ? std::make_shared<std::string>() : bytes;
    return *bytes;
  }
  uint64_t writes() const { return *writes_; }  // and everything else that changes a file
  // No file grows beyond.
  void SetBytesMost(uint64_t bytes) { bytes_most_ = bytes; }

  base::Result<std::unique_ptr<io::File>> OpenFile(const std::string& path,
                                                   io::Open mode) override {
    const bool exists = files_.contains(path);
    if (exists && mode == io::Open::kCreateNew) {
      return Status(base::Code::kAlreadyExists, path);
    }
    if (!exists && (mode == io::Open::kExisting || mode == io::Open::kReadOnly)) {
      return Status(base::Code::kNotFound, path);
    }
    (*this)[path];
    return std::unique_ptr<io::File>(
        new OpenedFile(path, files_[path], writes_, mode == io::Open::kReadOnly, bytes_most_));
  }
  Status Remove(const std::string& path) override {
    return files_.erase(path) > 0 ? Status() : Status(base::Code::kNotFound, path);
  }
  Status RenameNew(const std::string& from, const std::string& to) override {
    if (files_.contains(to)) {
      return {base::Code::kAlreadyExists, to};
    }
    auto node = files_.extract(from);
    node.key() = to;
    files_.insert(std::move(node));
    return {};
  }
  Status SyncFolderOf(const std::string& /*path*/) override { return {}; }
  base::Result<bool> Exists(const std::string& path) override { return files_.contains(path); }
  base::Result<std::unique_ptr<io::Folder>> OpenFolder(const std::string& path) override {
    return Status(base::Code::kUnsupported, path);
  }
  Status MakeFolder(const std::string& path) override { return {base::Code::kUnsupported, path}; }

 private:
  class OpenedFile final : public io::File {
   public:
    OpenedFile(const std::string& path, std::shared_ptr<std::string> bytes,
               std::shared_ptr<uint64_t> writes, bool read_only, uint64_t bytes_most)
        : File(path),
          bytes_(std::move(bytes)),
          writes_(std::move(writes)),
          read_only_(read_only),
          bytes_most_(bytes_most) {}

    Status ReadAt(uint64_t offset, std::span<uint8_t> buffer, size_t* bytes_read) override {
      const uint64_t there = bytes_->size() - std::min<uint64_t>(offset, bytes_->size());
      *bytes_read = std::min<uint64_t>(buffer.size(), there);
      if (*bytes_read > 0) {
        std::memcpy(buffer.data(), bytes_->data() + offset, *bytes_read);
      }
      return {};
    }
    Status WriteAt(uint64_t offset, std::span<const uint8_t> bytes) override {
      SPW_RETURN_IF_ERROR(GrowTo(offset, bytes.size()));
      std::memcpy(bytes_->data() + offset, bytes.data(), bytes.size());
      return {};
    }
    Status Truncate(uint64_t size) override {
      SPW_RETURN_IF_ERROR(size > bytes_->size() ? GrowTo(size, 0) : GrowTo(0, 0));
      bytes_->resize(size);
      return {};
    }
    Status Reserve(uint64_t offset, uint64_t bytes) override { return GrowTo(offset, bytes); }
    Status PunchHole(uint64_t offset, uint64_t bytes) override {
      SPW_RETURN_IF_ERROR(GrowTo(0, 0));
      const uint64_t begin = std::min<uint64_t>(offset, bytes_->size());
      std::fill_n(bytes_->begin() + static_cast<std::ptrdiff_t>(begin),
                  std::min<uint64_t>(bytes, bytes_->size() - begin), '\0');
      return {};
    }
    base::Result<uint64_t> Size() override { return uint64_t{bytes_->size()}; }
    base::Result<uint64_t> AllocatedBytes() override { return uint64_t{bytes_->size()}; }
    void StartWriting(uint64_t, uint64_t) override {}
    void StartReading(uint64_t, uint64_t) override {}
    void ForgetCached() override {}
    Status Sync() override { return {}; }
    Status Lock() override { return {}; }
    Status LockShared() override { return {}; }

   private:
    Status GrowTo(uint64_t offset, uint64_t bytes) {
      ++*writes_;
      if (read_only_) {
        return {base::Code::kIo, path() + ": open for reading only"};
      }
      if (offset > bytes_most_ || bytes > bytes_most_ - offset) {
        return {base::Code::kFull, path() + ": the disk is full"};
      }
      bytes_->resize(std::max<uint64_t>(bytes_->size(), offset + bytes));
      return {};
    }

    const std::shared_ptr<std::string> bytes_;
    const std::shared_ptr<uint64_t> writes_;
    const bool read_only_;
    const uint64_t bytes_most_;
  };

  std::map<std::string, std::shared_ptr<std::string>> files_;
  const std::shared_ptr<uint64_t> writes_ = std::make_shared<uint64_t>(0);
  uint64_t bytes_most_ = UINT64_MAX;
};

}  // namespace spillway::test
