// A file per block in one folder: written under another name, synced, renamed; the folder is synced
// once per group.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "tests/bench/blocks/block_store.h"
#include "tests/bench/files.h"

namespace spillway::bench {
namespace {

class FolderBlocks final : public BlockStore {
 public:
  using BlockStore::BlockStore;

  void Open(const std::string& folder, Durability durability) override {
    durability_ = durability;
    path_ = folder + "/blocks/";
    mkdir(path_.c_str(), 0700);
    folder_.Open(path_, O_RDONLY | O_DIRECTORY);
  }
  void Put(const BlockBatch& batch) override {
    for (size_t i = 0; i < batch.count(); ++i) {
      Replace(batch.indexes[i], batch.payload(i));
    }
    SyncNames();
  }
  void Delete(const BlockBatch& batch) override {
    for (const uint32_t index : batch.indexes) {
      Remove(index);
    }
    SyncNames();
  }
  std::unique_ptr<BlockSession> StartSession(SessionKind) override {
    return std::make_unique<Session>(this);
  }
  void Close() override {
    if (durability_ == Durability::kAtEnd && syncfs(folder_.get()) != 0) {
      DieErrno("syncfs");
    }
    folder_.Reset();
  }

 private:
  class Session final : public BlockSession {
   public:
    explicit Session(FolderBlocks* store) : store_(store) {}
    size_t Read(size_t index, std::span<char> buffer) override {
      const int fd = open(store_->PathOf(index).c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) {
        return kNoBlock;
      }
      const ssize_t got = read(fd, buffer.data(), buffer.size());
      if (got < 0) {
        DieErrno("read");
      }
      close(fd);
      return static_cast<size_t>(got);
    }
    void Put(size_t index, std::string_view payload) override { store_->Replace(index, payload); }
    void Delete(size_t index) override { store_->Remove(index); }

   private:
    FolderBlocks* const store_;
  };

  std::string PathOf(size_t index) const {
    std::string name(set().name(index));
    std::replace(name.begin(), name.end(), '/', '_');
    return path_ + name;
  }

  void Replace(size_t index, std::string_view payload) {
    // Numbered, because two threads may replace one block.
    const std::string temporary = path_ + ".new" + std::to_string(next_++);
    Fd file;
    file.Open(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (write(file.get(), payload.data(), payload.size()) != static_cast<ssize_t>(payload.size())) {
      DieErrno("write");
    }
    if (durability_ == Durability::kEachBatch && fdatasync(file.get()) != 0) {
      DieErrno("fdatasync");
    }
    if (std::rename(temporary.c_str(), PathOf(index).c_str()) != 0) {
      DieErrno("rename");
    }
  }

  void Remove(size_t index) { unlink(PathOf(index).c_str()); }

  void SyncNames() {
    if (durability_ == Durability::kEachBatch && fsync(folder_.get()) != 0) {
      DieErrno("fsync of the folder");
    }
  }

  Durability durability_ = Durability::kAtEnd;
  std::string path_;
  Fd folder_;
  std::atomic<uint64_t> next_ = 0;
};

}  // namespace

void AddFolderBlocks(std::vector<BlockContestant>* all) {
  all->push_back(BlockContestant{
      .name = "files",
      .options = "a file per block: written anew, fdatasync, rename; fsync of the folder per group",
      .deletes = true,
      .live = true,
      .slow = true,
      .make = [](const BlockSet& set) { return std::make_unique<FolderBlocks>(set); }});
}

}  // namespace spillway::bench
