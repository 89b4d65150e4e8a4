// Opening: a new file, or the superblock, the space map and the frames behind it.
#include <algorithm>
#include <string>

#include "internal/base/bytes.h"
#include "internal/blockfile/block_file.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Result;
using base::Status;

BlockFile::BlockFile(std::unique_ptr<io::File> file, const Superblock& superblock,
                     const Settings& settings)
    : file_(std::move(file)),
      settings_(settings),
      page_bytes_(superblock.page_bytes),
      digester_(superblock.file_id, superblock.checksum),
      superblock_(superblock),
      space_(file_.get(), page_bytes_, settings.growth),
      pages_(file_.get(), digester_, &space_, settings.cached_pages),
      journal_(file_.get(), &space_, digester_, settings.region_pages) {
  MutexLock lock(mu_);
  open_ = std::make_unique<Group>(page_bytes_, inline_bytes_most());
  next_version_ = superblock.next_version;
  version_ = {std::make_shared<Generation>(), superblock.registry};
}

BlockFile::~BlockFile() = default;

Result<std::unique_ptr<BlockFile>> BlockFile::Open(io::FileSystem* files, const std::string& path,
                                                   Create create, const Settings& settings) {
  if (create == Create::kIfMissing) {
    const Result<bool> exists = files->Exists(path);
    if (!exists.ok()) {
      return exists.status();
    }
    if (!exists.value()) {
      const Status made = CreateNew(files, path, settings);
      if (!made.ok() && made.code() != Code::kAlreadyExists) {
        return made;
      }
    }
  }
  Result<std::unique_ptr<io::File>> file = files->OpenFile(path, io::Open::kExisting);
  if (!file.ok()) {
    return file.status();
  }
  Superblock superblock;
  Mark mark;
  Status status = file.value()->Lock();
  if (status.ok()) {
    status = ReadSuperblock(file.value().get(), &superblock, &mark);
  }
  if (!status.ok()) {
    return status;
  }
  std::unique_ptr<BlockFile> opened(new BlockFile(std::move(file.value()), superblock, settings));
  status = opened->LoadSpace();
  if (status.ok()) {
    status = opened->Recover(mark);
  }
  if (!status.ok()) {
    return status;
  }
  return opened;
}

// Under another name first: a file under its own name is always whole.
Status BlockFile::CreateNew(io::FileSystem* files, const std::string& path,
                            const Settings& settings) {
  const std::string temporary = path + "-new";
  Result<std::unique_ptr<io::File>> file = files->OpenFile(temporary, io::Open::kCreate);
  if (!file.ok()) {
    return file.status();
  }
  SPW_RETURN_IF_ERROR(file.value()->Lock());
  SPW_RETURN_IF_ERROR(file.value()->Truncate(0));
  Superblock superblock;
  superblock.page_bytes = settings.page_bytes;
  superblock.checksum = settings.checksum;
  for (size_t i = 0; i < superblock.file_id.size(); i += 8) {
    Store(superblock.file_id.data() + i, settings.random());
  }
  BlockFile fresh(std::move(file.value()), superblock, settings);
  const uint64_t header_pages = HeaderPages(settings.page_bytes);
  PageRun header;
  SPW_RETURN_IF_ERROR(fresh.space_.Allocate(header_pages, &header));
  SPW_CHECK(header.first == 0);
  PageRun nothing{header_pages, 0};
  fresh.journal_.Start(nothing, 0);
  SPW_RETURN_IF_ERROR(fresh.WriteCheckpoint(When::kAlways));
  SPW_RETURN_IF_ERROR(files->RenameNew(temporary, path));
  return files->SyncFolderOf(path);
}

Status BlockFile::ReadSuperblock(io::File* file, Superblock* superblock, Mark* mark) {
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

Status BlockFile::LoadSpace() {
  const SpaceIndexRef& ref = superblock_.space;
  const Result<uint64_t> file_bytes = file_->Size();
  if (!file_bytes.ok()) {
    return file_bytes.status();
  }
  if (file_bytes.value() / page_bytes_ < superblock_.pages) {
    return base::Corrupt(file_->path() + ": the file has been cut off");
  }
  std::vector<uint8_t> index(ref.leaves * SpaceIndexEntryBytes(digester_.digest_bytes()));
  size_t bytes_read = 0;
  SPW_RETURN_IF_ERROR(file_->ReadAt(ref.first_page * page_bytes_, index, &bytes_read));
  if (bytes_read < index.size() || !(digester_.OfPage(index) == ref.digest)) {
    return base::Corrupt(file_->path() + ": the index of the space map is damaged");
  }
  space_.map().Grow(superblock_.pages);
  Reader in(index);
  for (uint64_t leaf = 0; leaf < ref.leaves; ++leaf) {
    PageRef page;
    page.page = in.Get<uint64_t>();
    page.digest = in.GetDigest(digester_.digest_bytes());
    PageBuffer bytes;
    SPW_RETURN_IF_ERROR(pages_.Read(page, &bytes));
    if (!space_.map().LoadLeaf(leaf, {bytes.get(), page_bytes_})) {
      return base::Corrupt(file_->path() + ": the space map tells of pages beyond the file");
    }
    space_leaves_.push_back(page);
  }
  // What was added to the file behind the checkpoint.
  space_.map().Grow(file_bytes.value() / page_bytes_);
  known_pages_.store(space_.map().size(), std::memory_order_release);
  return {};
}

// *found: there is a frame of that number, with as many bytes as it says.
Status BlockFile::ReadFrame(uint64_t page, uint64_t number, uint64_t previous_sum,
                            FrameHeader* header, std::vector<uint8_t>* body, bool* found) {
  *found = false;
  const uint64_t file_bytes = space_.map().size() * page_bytes_;
  if (page >= space_.map().size()) {
    return {};
  }
  std::array<uint8_t, kFrameHeaderBytes> bytes;
  size_t bytes_read = 0;
  SPW_RETURN_IF_ERROR(file_->ReadAt(page * page_bytes_, bytes, &bytes_read));
  if (bytes_read < bytes.size() || !DecodeFrameHeader(bytes, header) ||
      header->salt != superblock_.journal_salt || header->number != number ||
      header->previous_sum != previous_sum || header->body_bytes > file_bytes) {
    return {};
  }
  body->resize(header->body_bytes);
  SPW_RETURN_IF_ERROR(file_->ReadAt(page * page_bytes_ + kFrameHeaderBytes, *body, &bytes_read));
  *found = bytes_read == body->size();
  return {};
}

// proved: the mark says that its data is on the device. Else it is looked at, and *whole tells.
Status BlockFile::ApplyFrame(const FrameHeader& header, uint64_t page,
                             const std::vector<TreeChange>& changes, bool proved, bool* whole) {
  struct New {
    std::string_view name;
    Entry entry;
    std::optional<ListRef> list;
    Value value;
  };
  std::vector<New> entries;
  *whole = true;
  for (const TreeChange& change : changes) {
    New each{.name = change.key, .entry = {}, .list = {}, .value = {}};
    if (change.value.has_value()) {
      each.value.emplace(change.value->begin(), change.value->end());
      const Status decoded = DecodeWhole(*change.value, &each.entry, &each.list);
      std::vector<uint8_t> payload;
      const Status read = !decoded.ok() || proved ? decoded : ReadExtents(each.entry, &payload);
      if (!read.ok() && (proved || read.code() != Code::kCorrupt)) {
        return read;
      }
      if (!read.ok()) {
        *whole = false;
        return {};
      }
    }
    entries.push_back(std::move(each));
  }
  const auto take = [&](const PageRun& run) {
    return space_.map().AllocateAt(run)
               ? Status()
               : base::Corrupt(file_->path() + ": frame " + std::to_string(header.number) +
                               " uses pages that are in use");
  };
  const uint64_t frame_bytes = kFrameHeaderBytes + header.body_bytes;
  SPW_RETURN_IF_ERROR(take({page, base::CeilDiv(frame_bytes, page_bytes_)}));
  for (New& each : entries) {
    std::optional<Entry> old;
    SPW_RETURN_IF_ERROR(ReleaseOld(each.name, &old));
    superblock_.payload_bytes -= old.has_value() ? old->length : 0;
    for (const Extent& extent : each.entry.extents) {
      SPW_RETURN_IF_ERROR(take(extent.run(page_bytes_)));
    }
    if (each.list.has_value()) {
      SPW_RETURN_IF_ERROR(take(each.list->extent.run(page_bytes_)));
    }
    if (each.value.has_value()) {
      superblock_.payload_bytes += each.entry.length;
      superblock_.next_block_id = std::max(superblock_.next_block_id, each.entry.block_id + 1);
      superblock_.next_version = std::max(superblock_.next_version, each.entry.version + 1);
    }
    MutexLock lock(mu_);
    overlay_.insert_or_assign(std::string(each.name), std::move(each.value));
  }
  return {};
}

Status BlockFile::Recover(const Mark& mark) {
  mark_ = mark;
  const uint64_t acknowledged = mark.generation == superblock_.generation ? mark.frames : 0;
  uint64_t page = superblock_.journal_page;
  uint64_t number = 1;
  uint64_t sum = 0;
  FrameHeader header;
  std::vector<uint8_t> body;
  std::vector<TreeChange> changes;
  std::vector<PageRun> frames;
  for (;; ++number) {
    bool whole = false;
    SPW_RETURN_IF_ERROR(ReadFrame(page, number, sum, &header, &body, &whole));
    if (whole) {
      const Status decoded = DecodeFrameBody(header, body, digester_, &changes);
      whole = decoded.code() != Code::kNotFound;  // else its body is another
      SPW_RETURN_IF_ERROR(whole ? decoded : Status());
    }
    if (whole) {
      SPW_RETURN_IF_ERROR(ApplyFrame(header, page, changes, number <= acknowledged, &whole));
    }
    if (!whole) {
      break;
    }
    const uint64_t frame_bytes = kFrameHeaderBytes + header.body_bytes;
    frames.push_back({page, base::CeilDiv(frame_bytes, page_bytes_)});
    page = header.next_page;
    sum = header.sum;
  }
  if (number <= acknowledged) {
    return base::Corrupt(file_->path() + ": frame " + std::to_string(number) + " at offset " +
                         std::to_string(page * page_bytes_) +
                         " is damaged, though it was acknowledged");
  }
  {
    MutexLock lock(mu_);
    next_version_ = superblock_.next_version;
  }
  if (frames.empty()) {
    return journal_.StartAt(superblock_.journal_page, superblock_.journal_salt);
  }
  // The frames are merged, and the next generation begins in a place of its own; also if they say
  // nothing, as one does that leads to a region where the next is missing.
  for (const PageRun& run : frames) {
    SPW_RETURN_IF_ERROR(space_.Release(run));
  }
  journal_.Start({page, 0}, 0);
  return WriteCheckpoint(When::kAlways);
}

}  // namespace spillway::blockfile
