// Many named blocks in one crash-safe file.
//
// A change is visible at once and durable after the next Flush or Close that returns OK: after a
// crash the file holds all changes up to some Flush at least, and of later ones all up to some
// point or none. Any number of threads may call; one writes at a time, and readers wait for nobody.
//
// Not reachable from the C API yet.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/base/status.h"
#include "internal/blockfile/entry.h"
#include "internal/blockfile/group.h"
#include "internal/blockfile/journal.h"
#include "internal/blockfile/layout.h"
#include "internal/blockfile/page_store.h"
#include "internal/blockfile/space.h"
#include "internal/io/file.h"

namespace spillway::blockfile {

class BlockFile {
 public:
  struct Settings {
    uint32_t page_bytes = kPageBytes;             // of a new file
    ChecksumKind checksum = ChecksumKind::kXxh3;  // the same
    Space::Growth growth;
    uint64_t region_pages = 256;                                      // of the journal
    uint64_t cached_pages = 1024;                                     // of the registry
    uint64_t journal_pages_most = (uint64_t{64} << 20) / kPageBytes;  // then a checkpoint
    std::function<uint64_t()> random;                                 // for file ids and salts
    std::function<int64_t()> clock_ns;                                // since 1970
  };
  enum class Create { kNo, kIfMissing };

  // kNotFound, kBusy, kCorrupt (also: no block file), kUnsupported, and what the disk says.
  static base::Result<std::unique_ptr<BlockFile>> Open(io::FileSystem* files,
                                                       const std::string& path, Create create,
                                                       const Settings& settings);
  ~BlockFile();  // as a crash, unless it was closed
  BlockFile(const BlockFile&) = delete;
  BlockFile& operator=(const BlockFile&) = delete;

  base::Status Put(std::string_view name, Bytes payload, std::string_view tag = {});
  // kNotFound.
  base::Status Remove(std::string_view name);
  // The whole payload, proved by its digests. kNotFound, kCorrupt, kIo.
  base::Status Read(std::string_view name, std::vector<uint8_t>* payload);
  base::Status Exists(std::string_view name, bool* exists);

  // On return everything that was changed before the call is on the device. After any failure but
  // kFull writing has ended: every later call that writes returns the same.
  base::Status Flush();
  // Also brings the registry up to date, so that the next open has nothing to replay.
  base::Status Checkpoint();
  // From its begin on no change is taken; if it fails, they are again.
  base::Status Close();

  // Every name in order, as of now; for tests and small files.
  base::Status ListNames(std::vector<std::string>* names);
  // Every page is used by exactly what the space map says: the registry, blocks, lists, the map
  // itself or the journal. kCorrupt tells what is not so. Only while nobody writes.
  base::Status CheckSpace();

 private:
  // What readers of one generation share.
  struct Version {
    GenerationPin pin;
    TreeRoot registry;
  };
  using Value = std::optional<std::vector<uint8_t>>;  // an entry's bytes; none: removed
  using Overlay = std::map<std::string, Value, std::less<>>;

  BlockFile(std::unique_ptr<io::File> file, const Superblock& superblock, const Settings& settings);

  // Opening (block_file_open.cc).
  static base::Status CreateNew(io::FileSystem* files, const std::string& path,
                                const Settings& settings);
  static base::Status ReadSuperblock(io::File* file, Superblock* superblock, Mark* mark);
  base::Status LoadSpace();
  base::Status Recover(const Mark& mark);
  base::Status ReadFrame(uint64_t page, uint64_t number, uint64_t previous_sum, FrameHeader* header,
                         std::vector<uint8_t>* body, bool* found);
  base::Status ApplyFrame(const FrameHeader& header, uint64_t page,
                          const std::vector<TreeChange>& changes, bool proved, bool* whole);

  // Writing (block_file_write.cc). The writer's turn is taken and ended around them.
  struct Prepared;
  base::Status WriteGroup(Group* group);
  base::Status Prepare(Group* group, Prepared* prepared);
  base::Status FillIn(Group* group, const Journal::Place& place, Prepared* prepared);
  base::Status WriteData(const Group& group, uint64_t first_page);
  base::Status GiveBackGaps(const Journal::Place& place, const Prepared& prepared);
  void Publish(const Prepared& prepared);
  base::Status WriteMark(bool closed);
  base::Status DigestExtent(const Group& group, uint64_t image_page, const Extent& extent,
                            uint64_t block_id, std::pmr::vector<Digest>* digests);

  // Checkpoints (block_file_checkpoint.cc).
  enum class When { kIfAnythingChanged, kAlways };
  base::Status WriteCheckpoint(When when);
  base::Status WriteSpaceMap(const PageRun& region, SpaceIndexRef* index, PageRun* taken);
  base::Status ReserveSpaceMap(std::vector<uint64_t>* leaves, PageRun* run);
  base::Status WriteSuperblock(const Superblock& superblock);

  // Reading (block_file_read.cc).
  // Where a name's entry stands outside of the groups: copied from the overlay, or in the tree.
  struct Found {
    std::vector<uint8_t> overlaid;
    PageBuffer page;
    std::optional<Bytes> value;
    GenerationPin pin;
  };
  base::Status FindCommitted(std::string_view name, Found* found) SPW_EXCLUDES(mu_);
  // Releases what a block's entry names, if there is one.
  base::Status ReleaseOld(std::string_view name, std::optional<Entry>* old);
  base::Status DecodeWhole(Bytes value, Entry* entry, std::optional<ListRef>* list);
  base::Status ReadExtents(const Entry& entry, std::vector<uint8_t>* payload);
  base::Status ReadProved(const Extent& extent, uint64_t block_id, std::span<const Digest> digests,
                          std::vector<uint8_t>* out);

  // Proving the space map (block_file_check.cc).
  class SpaceCheck;

  base::Status MayChange() const SPW_REQUIRES(mu_);
  base::Status TakeTurn() SPW_EXCLUDES(mu_);
  void EndTurn(const base::Status& status) SPW_EXCLUDES(mu_);
  void EndTurnLocked(const base::Status& status) SPW_REQUIRES(mu_);
  Shape shape() const {
    return {page_bytes_, known_pages_.load(std::memory_order_acquire), digester_.digest_bytes()};
  }
  uint64_t inline_bytes_most() const { return std::min<uint64_t>(1024, page_bytes_ / 4); }
  uint64_t name_bytes_most() const { return page_bytes_ < 4096 ? 100 : 1024; }

  const std::unique_ptr<io::File> file_;
  const Settings settings_;
  const uint64_t page_bytes_;
  const Digester digester_;

  // The writer's.
  Superblock superblock_;  // of the last checkpoint
  Space space_;
  PageStore pages_;
  Journal journal_;
  std::vector<PageRef>
      space_leaves_;  // where each leaf of the space map stands; empty: nowhere yet
  Mark mark_;
  std::atomic<uint64_t> known_pages_{0};  // no entry that was published reaches beyond

  base::Mutex mu_;
  base::CondVar turn_ended_;
  bool writing_ SPW_GUARDED_BY(mu_) = false;
  bool closing_ SPW_GUARDED_BY(mu_) = false;  // takes no changes
  bool closed_ SPW_GUARDED_BY(mu_) = false;
  base::Status poison_ SPW_GUARDED_BY(mu_);
  std::unique_ptr<Group> open_ SPW_GUARDED_BY(mu_);       // takes changes
  std::unique_ptr<Group> in_flight_ SPW_GUARDED_BY(mu_);  // being written, or to be written again
  uint64_t changes_ SPW_GUARDED_BY(mu_) = 0;              // made
  uint64_t durable_ SPW_GUARDED_BY(mu_) = 0;              // of them on the device
  uint64_t flying_ SPW_GUARDED_BY(mu_) = 0;               // of them in in_flight_ or before
  uint64_t next_version_ SPW_GUARDED_BY(mu_) = 0;
  Overlay overlay_ SPW_GUARDED_BY(mu_);  // changed by the writer alone
  Version version_ SPW_GUARDED_BY(mu_);
};

}  // namespace spillway::blockfile
