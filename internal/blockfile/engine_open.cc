// Opening and closing: a new file, or the superblock and the space map of one that is there.
#include <ctime>
#include <random>
#include <string>

#include "internal/base/bytes.h"
#include "internal/blockfile/engine.h"
#include "internal/blockfile/engine_prepared.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Result;
using base::Status;

namespace {

// The system's clock and randomness where the caller has none of its own.
Settings Completed(const Settings& given) {
  Settings settings = given;
  if (settings.random == nullptr) {
    settings.random = [] {
      std::random_device device;
      return uint64_t{device()} << 32 | device();
    };
  }
  if (settings.clock_ns == nullptr) {
    settings.clock_ns = [] {
      timespec now = {};
      clock_gettime(CLOCK_REALTIME, &now);
      return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
    };
  }
  return settings;
}

Space::Policy PolicyOf(const Settings& settings, uint64_t page_bytes) {
  const uint64_t least = std::max<uint64_t>(1, settings.growth_bytes / page_bytes);
  return {least, std::max(least, settings.growth_bytes_most / page_bytes),
          settings.mode == OpenMode::kReadOnly ? 0 : settings.reserve_bytes / page_bytes};
}

}  // namespace

Engine::Engine(std::shared_ptr<io::File> file, const Superblock& superblock,
               const Settings& settings)
    : file_(std::make_unique<io::CountedFile>(std::move(file), &io_)),
      settings_(settings),
      page_bytes_(superblock.page_bytes),
      digester_(superblock.file_id, superblock.checksum),
      read_only_(settings.mode == OpenMode::kReadOnly),
      superblock_(superblock),
      space_(file_.get(), page_bytes_, PolicyOf(settings, page_bytes_)),
      pages_(file_.get(), digester_, &space_, settings.cached_pages),
      journal_(file_.get(), digester_, &space_, settings.region_pages),
      cache_(settings.cache_bytes),
      next_block_id_(superblock.next_block_id) {
  MutexLock lock(mu_);
  Seal(0);
  next_version_ = superblock.next_version;
  view_ = std::make_shared<const View>(superblock.registry, views_);
}

Engine::~Engine() = default;

Result<std::shared_ptr<Engine>> Engine::Open(io::FileSystem* files, const std::string& path,
                                             const Settings& given, base::Operation* operation) {
  const Settings settings = Completed(given);
  if (settings.mode == OpenMode::kCreate || settings.mode == OpenMode::kNew) {
    const Result<bool> exists = files->Exists(path);
    if (!exists.ok()) {
      return exists.status();
    }
    if (exists.value() && settings.mode == OpenMode::kNew) {
      return Status(Code::kAlreadyExists, path + ": there is one already");
    }
    if (!exists.value()) {
      const Status made = CreateNew(files, path, settings);
      if (!made.ok() && (made.code() != Code::kAlreadyExists || settings.mode == OpenMode::kNew)) {
        return made;
      }
    }
  }
  const bool read_only = settings.mode == OpenMode::kReadOnly;
  const bool nameless = settings.mode == OpenMode::kNameless;
  Result<std::unique_ptr<io::File>> opened_file =
      files->OpenFile(path, read_only  ? io::Open::kReadOnly
                            : nameless ? io::Open::kNameless
                                       : io::Open::kExisting);
  if (!opened_file.ok()) {
    return opened_file.status();
  }
  const std::shared_ptr<io::File> file = std::move(opened_file.value());
  Superblock superblock;
  Mark mark;
  Status status = read_only ? file->LockShared() : file->Lock();
  if (status.ok() && nameless) {
    status = Format(file, settings);
  }
  if (status.ok()) {
    status = ReadSuperblock(file.get(), &superblock, &mark);
  }
  if (status.ok() && !read_only && !(mark.closed && mark.generation == superblock.generation)) {
    // Nothing is built on what a sync that failed has left in memory only.
    file->ForgetCached();
    mark = Mark();
    status = ReadSuperblock(file.get(), &superblock, &mark);
  }
  if (status.ok() && !read_only && superblock.features.read_only != 0) {
    status = Status(Code::kUnsupported, path + ": this version can only read it");
  }
  if (status.ok() && settings.named_checksum && superblock.checksum != settings.checksum) {
    status = base::InvalidArgument(path + ": it has another kind of checksum");
  }
  if (!status.ok()) {
    return status;
  }
  std::shared_ptr<Engine> opened(new Engine(file, superblock, settings));
  opened->MakeScrubber();
  status = opened->LoadSpace();
  if (status.ok()) {
    status = opened->Recover(mark, operation);
  }
  if (status.ok() && !read_only) {
    opened->space_.FillReserve(Space::MayGrow::kNo);
  }
  if (status.ok()) {
    opened->EndTurn(Status());
    status = opened->StartBackground();
  }
  if (!status.ok()) {
    return status;
  }
  return opened;
}

// One of its superblocks and marks is enough.
Status BlockFile::IsOne(io::FileSystem* files, const std::string& path, bool* is) {
  *is = false;
  Result<std::unique_ptr<io::File>> file = files->OpenFile(path, io::Open::kReadOnly);
  if (!file.ok()) {
    return file.status();
  }
  for (uint64_t offset = 0; offset < kHeaderBytes && !*is; offset += kUnitBytes) {
    std::array<uint8_t, kUnitBytes> unit{};
    size_t bytes_read = 0;
    SPW_RETURN_IF_ERROR(file.value()->ReadAt(offset, unit, &bytes_read));
    *is = LooksLikeOurs(unit);
  }
  return {};
}

// Under another name first: a file under its own name is always whole.
Status Engine::CreateNew(io::FileSystem* files, const std::string& path, const Settings& settings) {
  const std::string temporary = path + "-new";
  Result<std::unique_ptr<io::File>> file = files->OpenFile(temporary, io::Open::kCreate);
  if (!file.ok()) {
    return file.status();
  }
  SPW_RETURN_IF_ERROR(file.value()->Lock());
  SPW_RETURN_IF_ERROR(Format(std::move(file.value()), settings));
  SPW_RETURN_IF_ERROR(files->RenameNew(temporary, path));
  return files->SyncFolderOf(path);
}

// Makes it an empty block file.
Status Engine::Format(const std::shared_ptr<io::File>& file, const Settings& settings) {
  SPW_RETURN_IF_ERROR(file->Truncate(0));
  Superblock superblock;
  superblock.page_bytes = settings.page_bytes;
  superblock.checksum = settings.checksum;
  for (size_t i = 0; i < superblock.file_id.size(); i += 8) {
    Store(superblock.file_id.data() + i, settings.random());
  }
  Engine fresh(file, superblock, settings);
  const uint64_t header_pages = HeaderPages(settings.page_bytes);
  PageRun header;
  SPW_RETURN_IF_ERROR(fresh.space_.Hold(header_pages, Space::Need::kUsual, &header));
  SPW_CHECK(header.first == 0);
  SPW_RETURN_IF_ERROR(fresh.space_.Keep(header));
  fresh.journal_.Start({header_pages, 0}, 0);
  return fresh.WriteCheckpoint(When::kAlways);
}

Status Engine::ReadSuperblock(io::File* file, Superblock* superblock, Mark* mark) {
  std::array<uint8_t, kHeaderBytes> bytes{};
  size_t bytes_read = 0;
  SPW_RETURN_IF_ERROR(file->ReadAt(0, bytes, &bytes_read));
  const auto unit = [&](uint64_t number) {
    return std::span<const uint8_t, kUnitBytes>(bytes.data() + number * kUnitBytes, kUnitBytes);
  };
  Status worst = base::Corrupt(file->path() + ": not a block file");
  bool found = false;
  for (uint64_t slot = 0; slot < kSlots; ++slot) {
    Superblock each;
    const Status status = DecodeSuperblock(unit(slot), &each);
    if (status.ok() && (!found || each.generation > superblock->generation)) {
      *superblock = each;
      found = true;
    } else if (!status.ok() && status.code() != Code::kNotFound) {
      worst = status;
    }
  }
  if (!found || worst.code() == Code::kUnsupported) {
    return worst;
  }
  for (uint64_t slot = 0; slot < kSlots; ++slot) {
    Mark each;
    if (DecodeMark(unit(kSlots + slot), superblock->file_id, &each) &&
        each.number >= mark->number) {
      *mark = each;
    }
  }
  if (mark->generation > superblock->generation) {
    return base::Corrupt(file->path() + ": the newest superblock is damaged");
  }
  return {};
}

// Only who writes needs the space map: if it is damaged, or the file is cut off, what is there can
// still be read.
Status Engine::LoadSpace() {
  const Result<uint64_t> file_bytes = file_->Size();
  if (!file_bytes.ok()) {
    return file_bytes.status();
  }
  const uint64_t pages = file_bytes.value() / page_bytes_;
  Status loaded = LoadSpaceMap(pages);
  if (loaded.code() != Code::kCorrupt || !read_only_) {
    return loaded;
  }
  space_damage_ = std::move(loaded);
  space_.map().Grow(pages);
  pages_there_ = pages;
  known_pages_.store(std::max(pages, superblock_.pages), std::memory_order_release);
  return {};
}

Status Engine::LoadSpaceMap(uint64_t pages) {
  const SpaceIndexRef& ref = superblock_.space;
  const uint64_t digest_bytes = digester_.digest_bytes();
  const Status cut_off = base::Corrupt(path() + ": the file has been cut off");
  if (SpaceIndexRun().end() > pages) {
    return cut_off;
  }
  std::vector<uint8_t> index(SpaceIndexBytes(ref.leaves));
  size_t bytes_read = 0;
  SPW_RETURN_IF_ERROR(file_->ReadAt(ref.first_page * page_bytes_, index, &bytes_read));
  if (bytes_read < index.size() || !(digester_.OfPage(index) == ref.digest)) {
    return base::Corrupt(path() + ": the index of the space map is damaged");
  }
  space_.map().Grow(superblock_.pages);
  Reader in(index);
  for (uint64_t leaf = 0; leaf < ref.leaves; ++leaf) {
    PageRef page;
    page.page = in.Get<uint64_t>();
    page.digest = in.GetDigest(digest_bytes);
    PageBuffer bytes;
    SPW_RETURN_IF_ERROR(pages_.Read(page, &bytes));
    if (!space_.map().LoadLeaf(leaf, {bytes.get(), page_bytes_})) {
      return base::Corrupt(path() + ": the space map tells of pages beyond the file");
    }
    space_leaves_.push_back(page);
  }
  // Free pages at the end may be missing, and pages may have been added behind the checkpoint.
  const uint64_t missing = superblock_.pages - std::min(superblock_.pages, pages);
  if (missing > space_.map().free_at_end()) {
    return cut_off;
  }
  SPW_RETURN_IF_ERROR(CutMap(superblock_.pages - missing));
  space_.map().Grow(pages);
  known_pages_.store(space_.map().size(), std::memory_order_release);
  return {};
}

// What lies behind `pages` is free. Leaves that told of it are needed only until the next
// checkpoint.
Status Engine::CutMap(uint64_t pages) {
  space_.Shrink(pages);
  while (space_leaves_.size() > space_.map().leaf_count()) {
    SPW_RETURN_IF_ERROR(space_.Release({space_leaves_.back().page, 1}));
    space_leaves_.pop_back();
  }
  return {};
}

// ---- the thread that writes behind ----

Status Engine::StartBackground() {
  if (read_only_ || !settings_.background) {
    return {};
  }
  Result<base::Worker> worker =
      base::Worker::Start("spw-blocks", [self = shared_from_this()] { self->Background(); });
  if (!worker.ok()) {
    return worker.status();
  }
  worker_ = worker.value();
  return {};
}

void Engine::Background() {
  for (;;) {
    bool checkpoint = false;
    {
      MutexLock lock(mu_);
      while (!stop_ && !write_wanted_ && !checkpoint_wanted_) {
        work_.Wait(mu_);
      }
      if (stop_) {
        break;
      }
      write_wanted_ = false;
      checkpoint = std::exchange(checkpoint_wanted_, false);
    }
    // A failure is kept, and told to whoever changes something next.
    Status status = Flush(Level::kKernel);
    if (status.ok() && checkpoint && TakeTurn().ok()) {
      status = base::CatchToStatus([&] {  // unless somebody was faster
        return CheckpointIsDue(2) ? WriteCheckpoint(When::kIfAnythingChanged) : Status();
      });
      EndTurn(status);
    }
  }
  bool abandoned = false;
  {
    MutexLock lock(mu_);
    abandoned = abandoned_;
  }
  // Lists and readers may be in a call; without memory to wait, the last of them closes it.
  if (abandoned && base::CatchToStatus([&] { return gate_.AwaitEmpty({}); }).ok()) {
    file_.reset();
  }
}

Status Engine::Close(bool discard) {
  {
    MutexLock lock(mu_);
    while (closing_) {  // somebody else is at it, who may open the gate again
      changed_.Wait(mu_);
    }
    if (closed_) {
      return {};
    }
    closing_ = true;
  }
  gate_.Shut();
  const uint64_t scrubbed = scrubber_->Stop();
  SPW_RETURN_IF_ERROR(gate_.AwaitEmpty({}));
  Status status;
  if (!discard && !read_only_) {
    status = Flush(Level::kDevice);
    if (status.ok()) {
      status = TakeTurn(true);
    }
    if (status.ok()) {
      status = base::CatchToStatus([&] { return WriteLastCheckpoint(); });
      EndTurn(status);
    }
  }
  const bool stays_open = status.code() == Code::kFull || status.code() == Code::kNoMemory;
  {
    MutexLock lock(mu_);
    closed_ = stop_ = !stays_open;
    work_.NotifyAll();
  }
  if (!stays_open && worker_.has_value()) {
    worker_->Join();
    worker_.reset();
  }
  if (!stays_open) {
    file_.reset();
  }
  if (stays_open) {
    gate_.Reopen();
    const Status scrubs =
        scrubber_->SetRate(scrubbed);  // without memory for a thread, not any more
    static_cast<void>(scrubs.ok());
  }
  MutexLock lock(mu_);
  closing_ = false;
  changed_.NotifyAll();
  return status;
}

// Who runs still, on a transaction or a list, is waited for by the thread; or else the file is
// closed with the last of them.
void Engine::Abandon() {
  gate_.Shut();
  scrubber_->Abandon();
  {
    MutexLock lock(mu_);
    if (closed_) {
      return;
    }
    closed_ = stop_ = abandoned_ = true;
    work_.NotifyAll();
    changed_.NotifyAll();
  }
  if (worker_.has_value()) {
    worker_->Detach();  // it closes the file when it has seen that
    worker_.reset();
  } else if (gate_.empty()) {
    file_.reset();
  }  // else a list or a reader is in a call, and the last of them closes it
}

}  // namespace spillway::blockfile
