// Looking blocks up and reading them.
#include <cstring>
#include <string>

#include "internal/base/bytes.h"
#include "internal/blockfile/engine.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Status;

BlockInfo InfoOf(const Block& block) {
  BlockInfo info;
  info.length = block.length;
  info.version = block.version;
  info.created_ns = block.created_ns;
  info.modified_ns = block.modified_ns;
  info.tag_bytes = static_cast<uint32_t>(block.tag.size());
  std::copy(block.tag.begin(), block.tag.end(), info.tag.begin());
  return info;
}

Status CheckExpected(const Block& found, uint64_t expected) {
  if (expected == kAnyVersion) {
    return {};
  }
  if (expected == kNoVersion) {
    return found.exists ? Status(Code::kAlreadyExists, "there is such a block") : Status();
  }
  if (!found.exists) {
    return {Code::kNotFound, "no such block"};
  }
  return found.version == expected
             ? Status()
             : Status(Code::kConflict, "the block has version " + std::to_string(found.version));
}

Block::Block()
    : memory_(buffer_.data(), buffer_.size(), std::pmr::new_delete_resource()),
      tag(&memory_),
      inline_bytes(&memory_),
      parts(&memory_),
      digests(&memory_) {}

// A snapshot is a number in a set; versions that it may want stay in the delta meanwhile.
Status Engine::TakeSnapshot(std::shared_ptr<const Snapshot>* snapshot, Moment moment) {
  auto taken = std::make_shared<Snapshot>();
  MutexLock lock(mu_);
  if (closed_) {
    return Status(Code::kClosed);
  }
  taken->commit = moment == Moment::kNow ? commit_ : written_;
  taken->moves = moves_;
  snapshots_.insert(taken->commit);
  taken->engine = shared_from_this();
  taken->view = view_;
  counters_.snapshots.fetch_add(1, std::memory_order_relaxed);
  *snapshot = std::move(taken);
  return {};
}

uint64_t Engine::next_version() {
  MutexLock lock(mu_);
  return next_version_;
}

void Engine::SetNextVersion(uint64_t version) {
  MutexLock lock(mu_);
  next_version_ = std::max(next_version_, version);
}

Engine::Snapshot::~Snapshot() {
  if (engine != nullptr) {
    view.reset();
    engine->counters_.snapshots.fetch_sub(1, std::memory_order_relaxed);
    MutexLock lock(engine->mu_);
    engine->snapshots_.erase(engine->snapshots_.find(commit));
  }
}

Status Engine::ReadList(const Extent& extent, const Digest& digest, std::vector<uint8_t>* bytes) {
  const bool there = extent.run(page_bytes_).end() <= pages_there_;  // else no memory for it
  bytes->resize(there ? extent.bytes : 0);
  size_t bytes_read = 0;
  const uint64_t offset = extent.first_page * page_bytes_;
  SPW_RETURN_IF_ERROR(file_->ReadAt(offset, *bytes, &bytes_read));
  if (!there || bytes_read < bytes->size() || !(digester_.OfPage(*bytes) == digest)) {
    counters_.checksum_errors.fetch_add(1, std::memory_order_relaxed);
    return base::Corrupt(path() + ": the list of a block's extents at offset " +
                         std::to_string(offset) + " is damaged");
  }
  return {};
}

Status Engine::DecodeEntryInto(Bytes value, Block* block) {
  Entry entry(block->memory());
  bool has_list = false;
  ListRef list;
  SPW_RETURN_IF_ERROR(DecodeEntry(value, shape(), &entry, &has_list, &list));
  if (has_list) {
    std::vector<uint8_t> bytes;
    SPW_RETURN_IF_ERROR(ReadList(list.extent, list.digest, &bytes));
    SPW_RETURN_IF_ERROR(DecodeList(bytes, shape(), list.extents, &entry));
    block->list = list.extent;
  }
  block->exists = true;
  block->version = entry.version;
  block->block_id = entry.block_id;
  block->length = entry.length;
  block->created_ns = entry.created_ns;
  block->modified_ns = entry.modified_ns;
  block->tag.assign(entry.tag.begin(), entry.tag.end());
  block->is_inline = entry.extents.empty();
  block->inline_bytes.assign(entry.inline_bytes.begin(), entry.inline_bytes.end());
  block->parts.reserve(entry.extents.size());
  for (const Extent& extent : entry.extents) {
    block->parts.push_back({.extent = extent});
  }
  block->digests = std::move(entry.digests);  // of the same memory
  return {};
}

Status Engine::CopyPending(const Version& version, Block* block) {
  block->exists = true;
  block->version = version.version;
  block->block_id = version.block_id;
  block->length = version.length;
  block->created_ns = version.created_ns;
  block->modified_ns = version.modified_ns;
  block->is_inline = version.is_inline;
  block->tag.assign(version.tag.begin(), version.tag.end());
  block->inline_bytes.assign(version.bytes.begin(), version.bytes.end());
  block->parts.assign(version.parts.begin(), version.parts.end());
  block->digests.assign(version.digests.begin(), version.digests.end());
  block->image = version.image;
  block->waits = true;
  block->waits_open = version.group == open_.get();
  return {};
}

// From what is in the file: a version that was written, or the tree.
Status Engine::FindFrom(const Version* version, const TreeRoot& registry, std::string_view name,
                        Block* block) {
  if (version != nullptr) {
    return version->removes ? Status() : DecodeEntryInto(version->entry, block);
  }
  PageBuffer page;
  std::optional<Bytes> value;
  SPW_RETURN_IF_ERROR(TreeFind(&pages_, registry, name, &page, &value));
  return value.has_value() ? DecodeEntryInto(*value, block) : Status();
}

Status Engine::Find(const Snapshot* at, std::string_view name, bool meta, Block* block) {
  std::pmr::vector<uint8_t> entry(block->memory());
  bool in_delta = false;
  bool inherits = false;
  {
    MutexLock lock(mu_);
    if (closed_) {
      return Status(Code::kClosed);
    }
    block->view = at == nullptr ? view_ : at->view;
    Version* version = delta_.Newest(name);
    block->newest = version;
    block->newest_commit = version == nullptr ? 0 : version->commit;
    version = Delta::VisibleAt(version, at == nullptr ? UINT64_MAX : at->commit);
    if (version != nullptr && version->removes) {
      return {};
    }
    if (version != nullptr && version->group != nullptr) {
      SPW_RETURN_IF_ERROR(CopyPending(*version, block));
      inherits = version->inherits && meta;
      version = version->older;  // what it inherits from
      while (inherits && version != nullptr && version->group != nullptr && version->inherits &&
             !version->removes) {
        version = version->older;
      }
      if (!inherits) {
        return {};
      }
      if (version != nullptr && (version->removes || version->group != nullptr)) {
        block->created_ns = version->removes ? block->created_ns : version->created_ns;
        block->tag.assign(version->removes ? version->tag.end() : version->tag.begin(),
                          version->tag.end());
        return {};
      }
    }
    in_delta = version != nullptr;
    if (in_delta) {
      entry.assign(version->entry.begin(), version->entry.end());
    }
  }
  const auto find = [&](Block* found) -> Status {
    if (in_delta) {
      return DecodeEntryInto(entry, found);
    }
    return FindFrom(nullptr, block->view->registry, name, found);
  };
  if (!inherits) {
    return find(block);
  }
  Block base;
  SPW_RETURN_IF_ERROR(find(&base));
  block->created_ns = base.exists ? base.created_ns : block->created_ns;
  block->tag.assign(base.tag.begin(), base.tag.end());
  return {};
}

// Reads [begin, begin + size) of an extent, chunk by chunk, each proved before its bytes count.
Status Engine::ReadStored(const Extent& extent, uint64_t block_id, const Digest* digests,
                          uint64_t begin, std::span<uint8_t> buffer) {
  const auto damaged = [&](uint64_t page, uint64_t size) {
    counters_.checksum_errors.fetch_add(1, std::memory_order_relaxed);
    return base::Corrupt(path() + ": block " + std::to_string(block_id) + ": " +
                         std::to_string(size) + " bytes at offset " +
                         std::to_string(page * page_bytes_) + " are damaged");
  };
  std::vector<uint8_t> whole;  // of a chunk that is wanted in part
  while (!buffer.empty()) {
    const uint64_t chunk = begin / kChunkBytes;
    const uint64_t at = chunk * kChunkBytes;
    const uint64_t size = std::min(kChunkBytes, extent.bytes - at);
    const uint64_t page = extent.first_page + at / page_bytes_;
    size_t bytes_read = 0;
    if (begin == at && buffer.size() >= size) {
      // As many whole chunks as there are, in one read.
      const uint64_t wanted = buffer.size() >= extent.bytes - at
                                  ? extent.bytes - at
                                  : buffer.size() / kChunkBytes * kChunkBytes;
      SPW_RETURN_IF_ERROR(file_->ReadAt(page * page_bytes_, buffer.first(wanted), &bytes_read));
      for (uint64_t done = 0; done < wanted; done += kChunkBytes) {
        const uint64_t each = std::min(kChunkBytes, wanted - done);
        const uint64_t its_page = page + done / page_bytes_;
        if (done + each > bytes_read ||
            !(digester_.OfChunk(block_id, its_page, buffer.subspan(done, each)) ==
              digests[chunk + done / kChunkBytes])) {
          return damaged(its_page, each);
        }
      }
      begin += wanted;
      buffer = buffer.subspan(wanted);
      continue;
    }
    whole.resize(size);
    SPW_RETURN_IF_ERROR(file_->ReadAt(page * page_bytes_, whole, &bytes_read));
    if (bytes_read < size || !(digester_.OfChunk(block_id, page, whole) == digests[chunk])) {
      return damaged(page, size);
    }
    const uint64_t copied = std::min<uint64_t>(buffer.size(), at + size - begin);
    std::memcpy(buffer.data(), whole.data() + (begin - at), copied);
    begin += copied;
    buffer = buffer.subspan(copied);
  }
  return {};
}

// offset + buffer.size() is within the block.
Status Engine::ReadRange(const Block& block, uint64_t offset, std::span<uint8_t> buffer) {
  if (buffer.empty()) {
    return {};
  }
  if (block.is_inline) {
    std::memcpy(buffer.data(), block.inline_bytes.data() + offset, buffer.size());
    return {};
  }
  const Digest* digests = block.digests.data();
  for (const Part& part : block.parts) {
    const uint64_t bytes = part.extent.bytes;
    if (offset < bytes) {
      const std::span<uint8_t> piece =
          buffer.first(std::min<uint64_t>(buffer.size(), bytes - offset));
      if (part.memory != nullptr) {
        std::memcpy(piece.data(), part.memory + offset, piece.size());
      } else if (part.in_image) {
        block.image->Read(part.extent.first_page * page_bytes_ + offset, piece);
      } else {
        SPW_RETURN_IF_ERROR(ReadStored(part.extent, block.block_id, digests, offset, piece));
      }
      buffer = buffer.subspan(piece.size());
      offset = 0;
      if (buffer.empty()) {
        break;
      }
    } else {
      offset -= bytes;
    }
    digests += part.in_file() ? part.extent.chunks() : 0;
  }
  return {};
}

void Engine::StartReading(const Block& block, uint64_t offset, uint64_t bytes) {
  for (const Part& part : block.parts) {
    const uint64_t its = part.extent.bytes;
    if (offset < its && bytes > 0) {
      const uint64_t here = std::min(bytes, its - offset);
      if (part.in_file()) {
        file_->StartReading(part.extent.first_page * page_bytes_ + offset, here);
      }
      bytes -= here;
    }
    offset -= std::min(offset, its);
  }
}

// At most so many names that the delta knows, from `from` on (beyond: behind it).
Status Engine::ListDelta(const Snapshot& at, std::string_view from, bool beyond, size_t most,
                         std::vector<Listed>* listed) {
  listed->clear();
  MutexLock lock(mu_);
  if (closed_) {
    return Status(Code::kClosed);
  }
  const Delta::Names& names = delta_.names();
  auto each = beyond ? names.upper_bound(from) : names.lower_bound(from);
  for (; each != names.end() && listed->size() < most; ++each) {
    const Version* const version = Delta::VisibleAt(each->second, at.commit);
    if (version == nullptr) {
      continue;
    }
    Listed& one = listed->emplace_back();
    one.name = each->first;
    one.removes = version->removes;
    if (version->group == nullptr && !version->removes) {
      one.entry.assign(version->entry.begin(), version->entry.end());
    }
  }
  return {};
}

}  // namespace spillway::blockfile
