// What import and export share: progress, and whether a block and a file hold the same.
//
// One thread. Its memory is two buffers, whatever the sizes of blocks and files.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/operation.h"
#include "internal/base/status.h"
#include "internal/blockfile/block_file.h"
#include "internal/blockfile/stream_reader.h"
#include "internal/io/file.h"

namespace spillway::blockfile {

struct Transferred {
  uint64_t blocks = 0;   // moved, and compared with their files
  uint64_t bytes = 0;    // of them
  uint64_t equal = 0;    // blocks that were there already
  uint64_t ignored = 0;  // import: what lies there and is not for it
};

class Transfer {
 public:
  Transfer(BlockFile* file, Transaction* txn, base::Operation* operation)
      : file_(file), txn_(txn), operation_(operation), one_(kPieceBytes), other_(kPieceBytes) {}

  BlockFile* file() const { return file_; }
  Transaction* txn() const { return txn_; }

  // So many bytes more were read or written. kCancelled.
  base::Status Step(uint64_t bytes);

  // One state of a block, as the transaction sees it.
  base::Status Open(std::string_view name, std::unique_ptr<StreamReader>* block) {
    return file_->OpenReader(txn_, name, block);
  }

  // Another status than OK is about the file, or ends the transfer.
  struct Found {
    bool equal = false;
    base::Status block;  // kCorrupt or kIo: it cannot be read, and so is not equal
  };
  base::Status Compare(StreamReader* block, io::File* file, Found* found);
  base::Status CompareFiles(io::File* one, io::File* other, bool* equal);

  // Room for the piece that is moved, until the next comparison.
  std::span<uint8_t> piece() { return one_; }

 private:
  static constexpr uint64_t kPieceBytes = uint64_t{1} << 20;

  BlockFile* const file_;
  Transaction* const txn_;  // may be null
  base::Operation* const operation_;
  uint64_t done_ = 0;
  std::vector<uint8_t> one_;
  std::vector<uint8_t> other_;
};

// The same failure, and what it is about.
base::Status About(std::string_view what, const base::Status& status);

// A block, or a part of the file, that cannot be read.
inline bool IsDamage(const base::Status& status) {
  return status.code() == base::Code::kCorrupt || status.code() == base::Code::kIo;
}

// kNotFound also for what is no folder.
base::Result<std::unique_ptr<io::Folder>> OpenRoot(io::FileSystem* files, const std::string& path);

}  // namespace spillway::blockfile
