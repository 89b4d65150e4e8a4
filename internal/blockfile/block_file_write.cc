// Changing blocks: into the open group at once, into the file by whoever flushes.
#include <algorithm>
#include <string>

#include "internal/base/bytes.h"
#include "internal/blockfile/block_file.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Status;

// A group on its way into the file.
struct BlockFile::Prepared {
  struct Block {
    const std::string* name = nullptr;  // the group's
    const PendingChange* change = nullptr;
    Entry entry;
    bool has_list = false;
    uint64_t list_page = 0;  // in the image
    PageRun list_run;        // in the file
    std::vector<uint8_t> value;
  };
  std::vector<Block> blocks;
  std::vector<TreeChange> changes;
  uint64_t frame_pages = 0;
  uint64_t data_pages = 0;
  uint64_t next_block_id = 0;
  uint64_t payload_bytes = 0;
};

Status BlockFile::MayChange() const {
  return closing_ || closed_ ? Status(Code::kClosed) : poison_;
}

Status BlockFile::Put(std::string_view name, Bytes payload, std::string_view tag) {
  if (name.empty() || name.size() > name_bytes_most() ||
      name.find('\0') != std::string_view::npos) {
    return base::InvalidArgument("a block's name has 1 to " + std::to_string(name_bytes_most()) +
                                 " bytes, none of them 0");
  }
  if (tag.size() > kTagBytesMost) {
    return base::InvalidArgument("a tag has at most 128 bytes");
  }
  const int64_t now_ns = settings_.clock_ns();
  MutexLock lock(mu_);
  SPW_RETURN_IF_ERROR(MayChange());
  open_->Put(name, payload, tag, next_version_++, now_ns);
  ++changes_;
  return {};
}

Status BlockFile::Remove(std::string_view name) {
  bool exists = false;
  SPW_RETURN_IF_ERROR(Exists(name, &exists));
  if (!exists) {
    return {Code::kNotFound, "no such block"};
  }
  MutexLock lock(mu_);
  SPW_RETURN_IF_ERROR(MayChange());
  open_->Remove(name, next_version_++);
  ++changes_;
  return {};
}

Status BlockFile::Flush() {
  mu_.Lock();
  const uint64_t target = changes_;
  Status status;
  for (;;) {
    if (closed_ || !poison_.ok()) {
      status = closed_ ? Status(Code::kClosed) : poison_;
      break;
    }
    if (durable_ >= target) {
      break;
    }
    if (writing_) {
      turn_ended_.Wait(mu_);
      continue;
    }
    if (in_flight_ == nullptr) {
      auto fresh = std::make_unique<Group>(page_bytes_, inline_bytes_most());
      in_flight_ = std::exchange(open_, std::move(fresh));
      flying_ = changes_;
    }
    writing_ = true;
    Group* const group = in_flight_.get();
    mu_.Unlock();
    status = base::CatchToStatus([&] { return WriteGroup(group); });
    mu_.Lock();
    if (status.ok()) {
      in_flight_.reset();
      durable_ = flying_;
    }
    EndTurnLocked(status);
    if (!status.ok()) {
      break;
    }
  }
  mu_.Unlock();
  return status;
}

Status BlockFile::ReleaseOld(std::string_view name, std::optional<Entry>* old) {
  Found found;
  SPW_RETURN_IF_ERROR(FindCommitted(name, &found));
  if (!found.value.has_value()) {
    return {};
  }
  std::optional<ListRef> list;
  SPW_RETURN_IF_ERROR(DecodeWhole(*found.value, &old->emplace(), &list));
  (*old)->tag = (*old)->inline_bytes = {};  // they do not outlive `found`
  for (const Extent& extent : (*old)->extents) {
    SPW_RETURN_IF_ERROR(space_.Release(extent.run(page_bytes_)));
  }
  return list.has_value() ? space_.Release(list->extent.run(page_bytes_)) : Status();
}

// What the group comes to, but for the places; releases what it replaces.
Status BlockFile::Prepare(Group* group, Prepared* prepared) {
  uint64_t frame_bytes = kFrameHeaderBytes;
  prepared->next_block_id = superblock_.next_block_id;
  prepared->payload_bytes = superblock_.payload_bytes;
  prepared->blocks.reserve(group->changes().size());
  for (const auto& [name, change] : group->changes()) {
    std::optional<Entry> old;
    SPW_RETURN_IF_ERROR(ReleaseOld(name, &old));
    Prepared::Block block;
    block.name = &name;
    block.change = &change;
    if (old.has_value()) {
      prepared->payload_bytes -= old->length;
    }
    if (change.removes) {
      if (old.has_value()) {
        frame_bytes += 8 + name.size();
        prepared->blocks.push_back(std::move(block));
      }
      continue;
    }
    Entry& entry = block.entry;
    entry.block_id = old.has_value() ? old->block_id : prepared->next_block_id++;
    entry.created_ns = old.has_value() ? old->created_ns : change.modified_ns;
    entry.version = change.version;
    entry.modified_ns = change.modified_ns;
    entry.length = change.length;
    entry.tag = AsBytes(change.tag);
    prepared->payload_bytes += change.length;
    if (change.is_inline) {
      entry.inline_bytes = AsBytes(change.inline_bytes);
    } else {
      entry.extents.push_back({0, change.length});
      entry.digests.resize(entry.extents[0].chunks());
      std::vector<uint8_t> list;
      EncodeList(entry, digester_.digest_bytes(), &list);
      block.has_list = list.size() > page_bytes_ / 8;
      if (block.has_list) {
        block.list_page = group->image().Append(list);  // the place is what counts
      }
    }
    const ListRef nowhere;
    EncodeEntry(entry, block.has_list ? &nowhere : nullptr, digester_.digest_bytes(), &block.value);
    frame_bytes += 8 + name.size() + block.value.size();
    prepared->blocks.push_back(std::move(block));
  }
  prepared->frame_pages = base::CeilDiv(frame_bytes, page_bytes_);
  prepared->data_pages = group->image().pages();
  return {};
}

Status BlockFile::DigestExtent(const Group& group, uint64_t image_page, const Extent& extent,
                               uint64_t block_id, std::pmr::vector<Digest>* digests) {
  std::vector<uint8_t> joined;  // of a chunk that lies across two pieces of the image
  digests->clear();
  for (uint64_t at = 0; at < extent.bytes; at += kChunkBytes) {
    const uint64_t size = std::min(kChunkBytes, extent.bytes - at);
    const uint64_t pages = at / page_bytes_;
    joined.clear();
    SPW_RETURN_IF_ERROR(group.image().ForEachPiece(image_page + pages, size, [&](Bytes piece) {
      if (piece.size() == size) {
        digests->push_back(digester_.OfChunk(block_id, extent.first_page + pages, piece));
      } else {
        joined.insert(joined.end(), piece.begin(), piece.end());
      }
      return Status();
    }));
    if (!joined.empty()) {
      digests->push_back(digester_.OfChunk(block_id, extent.first_page + pages, joined));
    }
  }
  return {};
}

Status BlockFile::FillIn(Group* group, const Journal::Place& place, Prepared* prepared) {
  const uint64_t data_page = place.frame_page + prepared->frame_pages;
  for (Prepared::Block& block : prepared->blocks) {
    if (block.change->removes) {
      prepared->changes.push_back({*block.name, std::nullopt});
      continue;
    }
    Entry& entry = block.entry;
    ListRef list_ref;
    if (!block.change->is_inline) {
      entry.extents[0].first_page = data_page + block.change->page;
      SPW_RETURN_IF_ERROR(DigestExtent(*group, block.change->page, entry.extents[0], entry.block_id,
                                       &entry.digests));
    }
    if (block.has_list) {
      std::vector<uint8_t> list;
      EncodeList(entry, digester_.digest_bytes(), &list);
      group->image().Overwrite(block.list_page, list);
      list_ref.extent = {data_page + block.list_page, list.size()};
      list_ref.digest = digester_.OfPage(list);
      block.list_run = list_ref.extent.run(page_bytes_);
    }
    block.value.clear();
    EncodeEntry(entry, block.has_list ? &list_ref : nullptr, digester_.digest_bytes(),
                &block.value);
    prepared->changes.push_back({*block.name, Bytes(block.value)});
  }
  return {};
}

Status BlockFile::WriteData(const Group& group, uint64_t first_page) {
  const Image& image = group.image();
  uint64_t offset = first_page * page_bytes_;
  return image.ForEachPiece(0, image.pages() * page_bytes_, [&](Bytes piece) {
    const Status status = file_->WriteAt(offset, piece);
    offset += piece.size();
    return status;
  });
}

Status BlockFile::WriteGroup(Group* group) {
  const size_t releases = space_.releases();
  const uint64_t image_pages = group->image().pages();
  Prepared prepared;
  Journal::Place place;
  Status status = Prepare(group, &prepared);
  if (status.ok() && !prepared.blocks.empty()) {
    status = journal_.Reserve(prepared.frame_pages, prepared.data_pages, &place);
  }
  if (status.ok() && !prepared.blocks.empty()) {
    status = FillIn(group, place, &prepared);
    if (status.ok()) {
      status =
          journal_.WriteFrame(place, prepared.changes, prepared.frame_pages, prepared.data_pages);
    }
    if (status.ok()) {
      status = WriteData(*group, place.frame_page + prepared.frame_pages);
    }
    if (status.ok()) {
      status = file_->Sync();
    }
    if (!status.ok()) {
      SPW_RETURN_IF_ERROR(journal_.Cancel(place));
    }
  }
  if (!status.ok()) {
    group->image().Cut(image_pages);  // it may be tried again
    SPW_RETURN_IF_ERROR(space_.TakeBackReleases(releases));
    return status;
  }
  if (prepared.blocks.empty()) {
    return {};
  }
  journal_.Advance(place, prepared.frame_pages, prepared.data_pages);
  SPW_RETURN_IF_ERROR(GiveBackGaps(place, prepared));
  Publish(prepared);
  SPW_RETURN_IF_ERROR(WriteMark(false));
  if (journal_.pages_written() <= settings_.journal_pages_most) {
    return {};
  }
  // The group is on the device whatever becomes of this; a full disk only puts it off.
  status = WriteCheckpoint(When::kAlways);
  return status.code() == Code::kFull ? Status() : status;
}

// Pages of payloads that were replaced or removed before the group was written.
Status BlockFile::GiveBackGaps(const Journal::Place& place, const Prepared& prepared) {
  std::vector<PageRun> live;
  for (const Prepared::Block& block : prepared.blocks) {
    for (const Extent& extent : block.entry.extents) {
      live.push_back(extent.run(page_bytes_));
    }
    if (block.has_list) {
      live.push_back(block.list_run);
    }
  }
  std::sort(live.begin(), live.end(),
            [](const PageRun& a, const PageRun& b) { return a.first < b.first; });
  uint64_t at = place.frame_page + prepared.frame_pages;
  live.push_back({at + prepared.data_pages, 0});
  for (const PageRun& run : live) {
    SPW_RETURN_IF_ERROR(space_.GiveBack({at, run.first - at}));
    at = run.end();
  }
  return {};
}

void BlockFile::Publish(const Prepared& prepared) {
  superblock_.next_block_id = prepared.next_block_id;
  superblock_.payload_bytes = prepared.payload_bytes;
  known_pages_.store(space_.map().size(), std::memory_order_release);
  MutexLock lock(mu_);
  superblock_.next_version = next_version_;
  for (const Prepared::Block& block : prepared.blocks) {
    Value value;
    if (!block.change->removes) {
      value = block.value;
    }
    overlay_.insert_or_assign(*block.name, std::move(value));
  }
}

Status BlockFile::WriteMark(bool closed) {
  mark_ = {mark_.number + 1, superblock_.generation, journal_.frames(), closed};
  std::array<uint8_t, kUnitBytes> unit;
  EncodeMark(mark_, superblock_.file_id, unit);
  return file_->WriteAt(MarkOffset(mark_.number), unit);
}

}  // namespace spillway::blockfile
