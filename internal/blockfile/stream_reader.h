// One state of one block, found once and then read as often as wanted, whatever becomes of the
// block later: what was found keeps the pages and the memory that it needs.
//
// ReadAt and info may be called by any number of threads at once, the others by one at a time.
// kClosed once the file is closed. Keeps the engine alive, not open.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/engine.h"
#include "internal/blockfile/transaction.h"

namespace spillway::blockfile {

class StreamReader {
 public:
  explicit StreamReader(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  // For who opens it: to be found (with meta), and what the transaction has of it (may be null).
  Block* block() { return &block_; }
  void KeepOf(Transaction* txn);

  base::Status Info(BlockInfo* info) const;
  // The bytes from the position on; fewer than asked for only at the end. After a failure the
  // position is where it was.
  base::Status Read(std::span<uint8_t> buffer, uint64_t* bytes_read);
  base::Status ReadAt(uint64_t offset, std::span<uint8_t> buffer, uint64_t* bytes_read) const;
  base::Status Seek(uint64_t offset);

 private:
  base::Status ReadNext(std::span<uint8_t> buffer);
  void ReadAhead(uint64_t begin, uint64_t end);

  const std::shared_ptr<Engine> engine_;
  Block block_;
  std::shared_ptr<const Transaction> own_;  // whose memory and pages the block lies in
  uint64_t at_ = 0;
  uint64_t follows_ = UINT64_MAX;  // where the last read ended
  uint64_t told_until_ = 0;        // the device was asked for what is before
  // Small reads would prove each chunk many times.
  std::vector<uint8_t> kept_;
  uint64_t kept_at_ = 0;
};

}  // namespace spillway::blockfile
