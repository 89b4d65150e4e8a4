#include "internal/blockfile/compose.h"

#include <algorithm>

namespace spillway::blockfile {

using base::Status;

namespace {

class Composer {
 public:
  Composer(Engine* engine, const Block& base, Composed* to)
      : engine_(engine), base_(base), to_(to) {}

  // [begin, end) of the base stays where it is; both are at chunks of their parts, or at its ends.
  void Keep(uint64_t begin, uint64_t end) {
    if (base_.is_inline) {
      AddMemory(Bytes(base_.inline_bytes).subspan(begin, end - begin));
      return;
    }
    uint64_t at = 0;
    const Digest* digests = base_.digests.data();
    for (const Part& part : base_.parts) {
      const uint64_t from = std::max(begin, at);
      const uint64_t to = std::min(end, at + part.extent.bytes);
      if (from < to) {
        KeepOf(part, digests, from - at, to - at);
      }
      at += part.extent.bytes;
      digests += part.in_file() ? part.extent.chunks() : 0;
    }
  }

  // The begin (or end) of the chunk that holds that byte.
  uint64_t ChunkBegin(uint64_t offset) const { return Around(offset, false); }
  uint64_t ChunkEnd(uint64_t offset) const { return offset == 0 ? 0 : Around(offset - 1, true); }

  void AddMemory(Bytes bytes) {
    if (!bytes.empty()) {
      to_->parts.push_back({.memory = bytes, .extent = {}});
    }
  }

  Status Finish(uint64_t length) {
    Draft& draft = to_->draft;
    draft.inherits = false;
    draft.block_id = base_.block_id;
    draft.created_ns = base_.created_ns;
    to_->tag.assign(base_.tag.begin(), base_.tag.end());
    draft.tag = to_->tag;
    draft.length = length;
    draft.parts = to_->parts;
    draft.digests = to_->digests;
    draft.on = &base_;
    return {};
  }

  Status Read(uint64_t offset, std::span<uint8_t> to) {
    return engine_->ReadRange(base_, offset, to);
  }

 private:
  void KeepOf(const Part& part, const Digest* digests, uint64_t begin, uint64_t end) {
    if (part.memory != nullptr) {
      AddMemory({part.memory + begin, end - begin});
      return;
    }
    DraftPart kept;
    kept.extent = {part.extent.first_page + begin / engine_->page_bytes(), end - begin};
    kept.in_image = part.in_image;
    kept.fresh = part.fresh;
    if (!part.in_image) {
      digests += begin / kChunkBytes;
      to_->digests.insert(to_->digests.end(), digests, digests + kept.extent.chunks());
    }
    to_->parts.push_back(kept);
  }

  uint64_t Around(uint64_t offset, bool end) const {
    uint64_t at = 0;
    for (const Part& part : base_.parts) {
      if (offset < at + part.extent.bytes && part.memory == nullptr) {
        const uint64_t chunk = (offset - at) / kChunkBytes + (end ? 1 : 0);
        return at + std::min(chunk * kChunkBytes, part.extent.bytes);
      }
      if (offset < at + part.extent.bytes) {
        return offset + (end ? 1 : 0);
      }
      at += part.extent.bytes;
    }
    return offset + (end ? 1 : 0);  // inline
  }

  Engine* const engine_;
  const Block& base_;
  Composed* const to_;
};

}  // namespace

Status ComposePatch(Engine* engine, const Block& base, uint64_t offset, Bytes bytes, Composed* to) {
  Composer composer(engine, base, to);
  const uint64_t begin = composer.ChunkBegin(offset);
  const uint64_t end = std::max(offset + bytes.size(), composer.ChunkEnd(offset + bytes.size()));
  composer.Keep(0, begin);
  // In one stretch of memory, so that it becomes one extent.
  to->memory.resize(end - begin);
  const std::span<uint8_t> memory(to->memory);
  SPW_RETURN_IF_ERROR(composer.Read(begin, memory.first(offset - begin)));
  std::copy(bytes.begin(), bytes.end(),
            to->memory.begin() + static_cast<ptrdiff_t>(offset - begin));
  SPW_RETURN_IF_ERROR(
      composer.Read(offset + bytes.size(), memory.subspan(offset + bytes.size() - begin)));
  composer.AddMemory(to->memory);
  composer.Keep(end, base.length);
  return composer.Finish(base.length);
}

// Small pieces at the end are joined with what comes, each at most so often as the binary digits of
// their count say; so a block has few extents, whatever it was made of.
Status ComposeAppend(Engine* engine, const Block& base, Bytes bytes, Composed* to) {
  Composer composer(engine, base, to);
  uint64_t begin = base.length;
  uint64_t joined = bytes.size();
  for (auto part = base.parts.rbegin(); part != base.parts.rend(); ++part) {
    const uint64_t its = part->extent.bytes;
    if (part->memory != nullptr || its > joined || its + joined > kChunkBytes) {
      break;
    }
    begin -= its;
    joined += its;
  }
  composer.Keep(0, begin);
  to->memory.resize(base.length - begin);
  SPW_RETURN_IF_ERROR(composer.Read(begin, to->memory));
  composer.AddMemory(to->memory);
  composer.AddMemory(bytes);
  return composer.Finish(base.length + bytes.size());
}

Status ComposeSame(Engine* engine, const Block& base, Composed* to) {
  Composer composer(engine, base, to);
  composer.Keep(0, base.length);
  return composer.Finish(base.length);
}

}  // namespace spillway::blockfile
