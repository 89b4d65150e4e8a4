// What stands behind a BlockFile: the file's structures, the changes that wait, and the one writer.
//
// Callers' threads put changes into the open group (engine_commit.cc) and read (engine_read.cc).
// Whoever has the writer's *turn* writes groups (engine_write.cc) and checkpoints
// (engine_checkpoint.cc); a flush takes it on its caller's thread, a thread of our own when much
// waits. The mutex guards what both need; it is not held during I/O nor while payload is copied.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <memory_resource>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/bytes.h"
#include "internal/base/call_gate.h"
#include "internal/base/mutex.h"
#include "internal/base/operation.h"
#include "internal/base/parker.h"
#include "internal/base/status.h"
#include "internal/base/worker.h"
#include "internal/blockfile/blob_cache.h"
#include "internal/blockfile/block_file.h"
#include "internal/blockfile/delta.h"
#include "internal/blockfile/journal.h"
#include "internal/blockfile/layout.h"
#include "internal/blockfile/page_store.h"
#include "internal/blockfile/scrubber.h"
#include "internal/blockfile/space.h"
#include "internal/io/counted_file.h"

namespace spillway::blockfile {

// How many views of a file live. The one who waits until only the newest is left (vacuum) is woken.
struct ViewCount {
  std::atomic<uint64_t> living{0};
  base::Parker waiter;
};

// What the readers of one generation share: the tree beneath the delta. As long as one lives, no
// page that it reaches is used again. The last reference may go under a mutex: it takes none.
struct View {
  View(const TreeRoot& root, std::shared_ptr<ViewCount> views)
      : registry(root), count(std::move(views)) {
    count->living.fetch_add(1, std::memory_order_relaxed);
  }
  ~View() {
    if (count->living.fetch_sub(1, std::memory_order_acq_rel) == 2) {
      count->waiter.Unpark();
    }
  }
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  const TreeRoot registry;
  const std::shared_ptr<ViewCount> count;
};

// A block as one reader found it; keeps alive what it points to. Small ones allocate nothing.
struct Block {
 private:  // first, for the others live in it
  std::array<std::byte, 1024> buffer_;
  std::pmr::monotonic_buffer_resource memory_;

 public:
  Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  bool exists = false;
  uint64_t version = 0;
  uint64_t block_id = 0;  // 0: it has none yet
  uint64_t length = 0;
  int64_t created_ns = 0;
  int64_t modified_ns = 0;
  bool is_inline = false;
  std::pmr::vector<uint8_t> tag;
  std::pmr::vector<uint8_t> inline_bytes;
  std::pmr::vector<Part> parts;
  std::pmr::vector<Digest> digests;
  std::optional<Extent> list;  // where its list stands, if elsewhere
  bool waits = false;          // for the writer
  bool waits_open = false;     // and in the open group
  std::shared_ptr<const Image> image;
  std::shared_ptr<const View> view;

  // What the view's delta had of that name, for whoever builds on it.
  const Version* newest = nullptr;
  uint64_t newest_commit = 0;

  std::pmr::memory_resource* memory() { return &memory_; }
};

BlockInfo InfoOf(const Block& block);
// kAlreadyExists, kNotFound, kConflict: the block is not what a caller expects.
base::Status CheckExpected(const Block& found, uint64_t expected);

// A stretch of a payload on its way: memory, or (if that is empty) a stretch of the file, or of the
// image of the version that it builds on.
struct DraftPart {
  Bytes memory;
  Extent extent;
  bool fresh = false;
  bool in_image = false;
};

// What a block is to become.
struct Draft {
  std::string_view name;
  bool removes = false;
  // As of Version.
  bool inherits = true;
  uint64_t block_id = 0;
  int64_t created_ns = 0;
  Bytes tag;
  int64_t modified_ns = 0;
  uint64_t length = 0;
  std::span<const DraftPart> parts;
  std::span<const Digest> digests;  // of the parts in the file

  // Conditions. on: nobody has changed the block since it was found.
  uint64_t expected = kAnyVersion;
  bool must_exist = false;
  const Block* on = nullptr;
  // The change is none to users: the block stands elsewhere (moves), or is a copy, and has that
  // version. 0: a new one.
  bool moves = false;
  uint64_t keep_version = 0;
  uint64_t version = 0;  // set by Commit

  // A run of parts that are all in memory, or one part of the file.
  template <class Visit>  // (bool in_memory, std::span<const DraftPart>, uint64_t bytes)
  void ForEachRun(Visit&& visit) const {
    for (size_t begin = 0; begin < parts.size();) {
      size_t end = begin + 1;
      const bool in_memory = !parts[begin].memory.empty();
      uint64_t bytes = in_memory ? parts[begin].memory.size() : parts[begin].extent.bytes;
      for (; in_memory && end < parts.size() && !parts[end].memory.empty(); ++end) {
        bytes += parts[end].memory.size();
      }
      visit(in_memory, parts.subspan(begin, end - begin), bytes);
      begin = end;
    }
  }
  bool all_in_memory() const {
    return std::all_of(parts.begin(), parts.end(),
                       [](const DraftPart& part) { return !part.memory.empty(); });
  }
};

class Engine : public std::enable_shared_from_this<Engine> {
 public:
  static base::Result<std::shared_ptr<Engine>> Open(io::FileSystem* files, const std::string& path,
                                                    const Settings& settings,
                                                    base::Operation* operation);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Every call from outside goes through it.
  base::CallGate& gate() { return gate_; }

  base::Status Close(bool discard);
  // As a crash, without waiting.
  void Abandon();
  base::Status Flush(Level level);

  // A moment that stays readable. Ends with the pointer.
  struct Snapshot {
    std::shared_ptr<Engine> engine;
    std::shared_ptr<const View> view;
    uint64_t commit = 0;
    uint64_t moves = 0;  // blocks that had been moved; who builds on places looks whether it grew
    Snapshot() = default;
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    ~Snapshot();
  };
  // kWritten: as of what is in the file; while one has the writer's turn.
  enum class Moment { kNow, kWritten };
  base::Status TakeSnapshot(std::shared_ptr<const Snapshot>* snapshot,
                            Moment moment = Moment::kNow);

  // at may be null: now. meta: also tag and times of one that inherits them.
  base::Status Find(const Snapshot* at, std::string_view name, bool meta, Block* block);
  base::Status ReadRange(const Block& block, uint64_t offset, std::span<uint8_t> buffer);
  // The device may begin with what of that range is in the file.
  void StartReading(const Block& block, uint64_t offset, uint64_t bytes);
  // Names from `from` on as of the snapshot; see lister.h.
  struct Listed {
    std::string name;
    bool removes = false;
    std::vector<uint8_t> entry;  // empty: it waits, ask Find
  };
  base::Status ListDelta(const Snapshot& at, std::string_view from, bool beyond, size_t most,
                         std::vector<Listed>* listed);
  base::Status DecodeEntryInto(Bytes value, Block* block);
  PageSource* pages() { return &pages_; }
  BlobCache* cache() { return &cache_; }
  PieceStore* recycled() { return pieces_.get(); }

  // Adds to a block that waits in the open group, where that is cheap; *done tells.
  base::Status AppendInPlace(std::string_view name, Bytes bytes, uint64_t* length, bool* done);
  // All drafts or none, visible at once. since: none of the blocks may have changed after it.
  // kConflict, kAlreadyExists, kNotFound: a condition, with the draft's index.
  base::Status Commit(std::span<Draft> drafts, const Snapshot* since);
  // Large payloads, or many that are together, do not wait in memory: writes those of the drafts
  // into pages that are held from then on (also if it fails), and lets the drafts name them. The
  // stores keep what they point to.
  struct Aside {
    std::vector<std::unique_ptr<std::vector<DraftPart>>> parts;
    std::vector<std::unique_ptr<std::vector<Digest>>> digests;
    std::list<std::vector<uint8_t>> brought;
    std::vector<PageRun> held;
    PageRun left;     // of the last of them, for what comes next
    PageRun written;  // that the device was not told to begin with
  };
  base::Status MoveLargeAside(std::span<Draft> drafts, Aside* aside);
  // The same for one part that is all in memory; adds its digests. pages: of it and of what is
  // still to come, which is to have one run if it can be; at least the part's.
  base::Status MovePartAside(uint64_t block_id, uint64_t pages, DraftPart* part,
                             std::vector<Digest>* digests, Aside* aside);
  // For a block whose digests are made before it is committed.
  uint64_t NewBlockId() { return next_block_id_.fetch_add(1); }
  void GiveBackLater(std::span<const PageRun> runs) noexcept;
  base::Status CheckName(std::string_view name) const;
  base::Status MayChange() SPW_EXCLUDES(mu_);

  base::Status Verify(bool full, uint64_t bytes_per_second, base::Operation* operation,
                      Report* report);
  Scrubber* scrubber() { return scrubber_.get(); }

  // For whoever writes payload into held pages by himself; they are held from then on.
  base::Status HoldForPart(uint64_t pages_most, PageRun* run);
  // No later change gets a version below that one.
  void SetNextVersion(uint64_t version) SPW_EXCLUDES(mu_);
  uint64_t next_version() SPW_EXCLUDES(mu_);
  ChecksumKind checksum() const { return digester_.kind(); }
  base::Status Vacuum(const VacuumPlan& plan, base::Operation* operation, VacuumResult* result);
  // Part of a block of another file (or of this one) into held pages, with the digests that it has
  // there under that id.
  base::Status CopyIn(Engine* from, const Block& block, uint64_t offset, const Extent& to,
                      uint64_t block_id, std::vector<Digest>* digests);

  // Every page is used by exactly what the space map says; kCorrupt tells what is not so. Only
  // while nobody writes; for tests.
  base::Status CheckSpace();
  FileStats Stats();

  const Settings& settings() const { return settings_; }
  uint64_t page_bytes() const { return page_bytes_; }
  const std::string& path() const { return file_->path(); }
  int64_t Now() const { return settings_.clock_ns(); }
  Shape shape() const {
    return {page_bytes_, known_pages_.load(std::memory_order_acquire), digester_.digest_bytes()};
  }

 private:
  Engine(std::shared_ptr<io::File> file, const Superblock& superblock, const Settings& settings);

  // Opening (engine_open.cc, engine_recover.cc).
  static base::Status CreateNew(io::FileSystem* files, const std::string& path,
                                const Settings& settings);
  static base::Status Format(const std::shared_ptr<io::File>& file, const Settings& settings);
  static base::Status ReadSuperblock(io::File* file, Superblock* superblock, Mark* mark);
  base::Status LoadSpace();
  base::Status LoadSpaceMap(uint64_t pages);
  base::Status CutMap(uint64_t pages);
  struct Replay;
  base::Status Recover(const Mark& mark, base::Operation* operation);
  base::Status ReadFrame(Replay* replay);
  base::Status LookForLater(const Replay& replay, bool* found);
  base::Status ApplyFrame(Replay* replay, bool proved);
  base::Status AdoptChanges(const Replay& replay) SPW_EXCLUDES(mu_);
  base::Status TakePages(Replay* replay);
  base::Status StartBackground();
  void MakeScrubber();

  // Committing (engine_commit.cc).
  struct Commitment;
  base::Status HoldAside(uint64_t least, uint64_t pages, Aside* aside);
  base::Status MoveAside(Draft* draft, uint64_t least, uint64_t* pages, Aside* aside);
  void StartWriting(const PageRun& written, Aside* aside);
  base::Status WriteAside(Bytes payload, uint64_t block_id, const PageRun& run,
                          std::vector<Digest>* digests);
  base::Status TryCommit(Commitment* commitment);
  base::Status CheckConditions(Commitment* commitment);
  base::Status CheckUnchanged(Commitment* commitment, size_t index);
  base::Status BringAlong(Commitment* commitment);
  base::Status Admit(Commitment* commitment);
  uint64_t ListPages(std::span<const Draft> drafts) const;
  base::Status AwaitRoom(const Commitment& commitment) SPW_REQUIRES(mu_);
  base::Status AddPieces(Group* group, uint64_t pages) SPW_REQUIRES(mu_);
  void Fill(const Commitment& commitment);
  base::Status Insert(Commitment* commitment);
  bool StillSo(const Commitment& commitment) const SPW_REQUIRES(mu_);
  void MakeVersion(Commitment* commitment, size_t index) SPW_REQUIRES(mu_);
  void FindOrphans(Commitment* commitment) SPW_REQUIRES(mu_);
  void LinkVersion(Version* version) SPW_REQUIRES(mu_);
  bool IsWantedOpen(const Version* newest) const SPW_REQUIRES(mu_);
  void Seal(uint64_t pages) SPW_REQUIRES(mu_);
  uint64_t DirtyPages() const SPW_REQUIRES(mu_);
  size_t DirtyBlocks() const SPW_REQUIRES(mu_);
  // Of an image, for the lists that the writer adds to it beside those of Group::list_pages.
  static constexpr size_t kPiecesForLists = 8;
  // A run for so much that waits; frames and lists take a little more.
  static uint64_t RoomFor(uint64_t pages, size_t blocks) {
    return pages * 17 / 16 + blocks / 8 + 16;
  }
  uint64_t PromisedPages() SPW_EXCLUDES(mu_);

  // Writing (engine_write.cc). The writer's turn is taken and ended around them.
  struct Prepared;
  base::Status WriteGroup(Group* group);
  base::Status TryGroup(Group* group, Prepared* prepared);
  base::Status Prepare(Group* group, Prepared* prepared);
  base::Status PrepareOne(Group* group, Version* version, Prepared* prepared);
  base::Status FillIn(Group* group, Prepared* prepared);
  void DigestPart(const Image& image, uint64_t image_page, const Extent& extent, uint64_t block_id,
                  Digest* digests);
  base::Status WriteData(const Group& group, const Prepared& prepared, uint64_t begin,
                         uint64_t end);
  base::Status Account(Group* group, Prepared* prepared);
  void Publish(Group* group, Prepared* prepared) noexcept;
  base::Status WriteMark(bool closed);
  void ReleaseOrphans() SPW_EXCLUDES(mu_);
  base::Status WriteAll(Level level);
  bool CheckpointIsDue(uint64_t part) const;
  base::Status SyncAndMark();

  // Checkpoints (engine_checkpoint.cc).
  enum class When { kIfAnythingChanged, kAlways };
  struct Attempt;
  base::Status WriteCheckpoint(When when, bool closing = false);
  bool EndsWithOurOwn();
  void DirtySpaceLeaves(uint64_t from);
  base::Status DropSpace();
  base::Status WriteLastCheckpoint();
  void GatherChanges(Attempt* attempt) SPW_EXCLUDES(mu_);
  void PruneDelta() noexcept SPW_EXCLUDES(mu_);
  base::Status TryCheckpoint(Attempt* attempt);
  base::Status Undo(Attempt* attempt);
  base::Status WriteSpaceMap(Attempt* attempt);
  base::Status ReserveSpaceMap(Attempt* attempt);
  base::Status WriteSuperblock(const Superblock& superblock);
  void StartGeneration(Attempt* attempt);
  base::Status ReclaimSpace(bool closing);

  base::Status TakeTurn(bool closing = false) SPW_EXCLUDES(mu_);
  void EndTurn(const base::Status& status) SPW_EXCLUDES(mu_);
  // Ends writing unless the failure is one that leaves everything as it was.
  void Fail(const base::Status& status) SPW_EXCLUDES(mu_);
  base::Status MakeRoom(uint64_t pages) SPW_EXCLUDES(mu_);
  void Background();

  base::Status ReadList(const Extent& extent, const Digest& digest, std::vector<uint8_t>* bytes);
  base::Status ReadStored(const Extent& extent, uint64_t block_id, const Digest* digests,
                          uint64_t begin, std::span<uint8_t> buffer);
  base::Status CopyPending(const Version& version, Block* block) SPW_REQUIRES(mu_);
  base::Status FindFrom(const Version* version, const TreeRoot& registry, std::string_view name,
                        Block* block);

  class Verification;
  class Vacuuming;

  uint64_t inline_bytes_most() const { return std::min<uint64_t>(1024, page_bytes_ / 4); }
  uint64_t name_bytes_most() const { return page_bytes_ < 4096 ? 100 : 1024; }
  uint64_t PagesOf(uint64_t bytes) const { return base::CeilDiv(bytes, page_bytes_); }
  uint64_t SpaceIndexBytes(uint64_t leaves) const {
    return leaves * SpaceIndexEntryBytes(digester_.digest_bytes());
  }
  // Where the space map's index stands.
  PageRun SpaceIndexRun() const {
    return {superblock_.space.first_page, PagesOf(SpaceIndexBytes(superblock_.space.leaves))};
  }
  uint64_t PiecesOf(uint64_t pages) const {
    return base::CeilDiv(pages * page_bytes_, PieceStore::kPieceBytes);
  }
  io::FileCounters io_;
  std::unique_ptr<io::File> file_;
  const Settings settings_;
  const uint64_t page_bytes_;
  const Digester digester_;
  const bool read_only_;
  const std::shared_ptr<PieceStore> pieces_ = std::make_shared<PieceStore>();

  // The writer's.
  Superblock superblock_;  // of the last checkpoint
  Space space_;
  PageStore pages_;
  Journal journal_;
  std::vector<PageRef> space_leaves_;  // where each leaf of the space map stands; empty: nowhere
  // Of a file that is only read: why it has no space map, and how many of its pages are there.
  base::Status space_damage_;
  uint64_t pages_there_ = UINT64_MAX;
  Mark mark_;
  int closed_marks_ = 2;                // places of marks that may say closed of this generation
  bool spare_may_be_torn_ = false;      // a crash may have hit the writing of the other superblock
  std::unique_ptr<Prepared> prepared_;  // kept for its memory
  std::atomic<uint64_t> known_pages_{0};  // no entry that was published reaches beyond

  BlobCache cache_;
  base::CallGate gate_;
  std::atomic<bool> vacuuming_{false};
  std::string vacuum_from_;  // the name at which the next vacuum goes on; its own

  mutable base::Mutex mu_;
  base::CondVar changed_;  // turn ended, room made, places filled
  base::CondVar work_;     // for the thread
  bool writing_ SPW_GUARDED_BY(mu_) = false;
  bool closing_ SPW_GUARDED_BY(mu_) = false;  // takes no changes
  bool closed_ SPW_GUARDED_BY(mu_) = false;
  bool abandoned_ SPW_GUARDED_BY(mu_) = false;  // closed without a closer
  bool sealing_ SPW_GUARDED_BY(mu_) = false;    // no places are given out
  bool stop_ SPW_GUARDED_BY(mu_) = false;       // for the thread
  bool write_wanted_ SPW_GUARDED_BY(mu_) = false;
  bool checkpoint_wanted_ SPW_GUARDED_BY(mu_) = false;
  base::Status poison_ SPW_GUARDED_BY(mu_);
  base::Code health_ SPW_GUARDED_BY(mu_) = base::Code::kOk;
  const std::shared_ptr<ViewCount> views_ = std::make_shared<ViewCount>();
  std::shared_ptr<const View> view_ SPW_GUARDED_BY(mu_);
  Delta delta_ SPW_GUARDED_BY(mu_);
  std::multiset<uint64_t> snapshots_ SPW_GUARDED_BY(mu_);  // the commits at which they stand
  std::shared_ptr<Group> open_ SPW_GUARDED_BY(mu_);
  std::deque<std::shared_ptr<Group>> sealed_ SPW_GUARDED_BY(mu_);  // oldest first
  std::vector<PageRun> orphans_ SPW_GUARDED_BY(mu_);  // held, and nothing will name them
  uint64_t commit_ SPW_GUARDED_BY(mu_) = 0;           // the newest
  uint64_t written_ SPW_GUARDED_BY(mu_) = 0;          // all up to it are in the file
  uint64_t durable_ SPW_GUARDED_BY(mu_) = 0;          // and on the device
  uint64_t next_version_ SPW_GUARDED_BY(mu_) = 1;
  uint64_t moves_ SPW_GUARDED_BY(mu_) = 0;       // blocks that were moved; see Snapshot
  uint64_t room_pages_ SPW_GUARDED_BY(mu_) = 0;  // there is a free run so long
  std::atomic<uint64_t> next_block_id_{1};
  std::optional<base::Worker> worker_;
  std::shared_ptr<Scrubber> scrubber_;

  // Copies of the writer's numbers, and counters.
  struct Counters {
    std::atomic<uint64_t> blocks{0}, payload_bytes{0}, pages{0}, pages_used{0}, pages_held{0};
    std::atomic<uint64_t> snapshots{0}, puts{0}, groups{0}, checkpoints{0};
    std::atomic<uint64_t> waits{0}, checksum_errors{0};
  };
  Counters counters_;
};

}  // namespace spillway::blockfile
