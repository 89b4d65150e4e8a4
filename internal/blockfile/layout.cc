#include "internal/blockfile/layout.h"

#include <algorithm>
#include <bit>
#include <string>

#include "internal/base/bytes.h"
#include "internal/base/checksum.h"

namespace spillway::blockfile {

using base::Status;

namespace {

constexpr std::string_view kSuperblockMagic = "SPWBLOCK";
constexpr std::string_view kMarkMagic = "SPWMARK\n";
constexpr uint64_t kSumOffset = kUnitBytes - 8;  // of both: over all bytes before it
constexpr Features kKnown;                       // none yet

using Unit = std::span<uint8_t, kUnitBytes>;
using ConstUnit = std::span<const uint8_t, kUnitBytes>;

uint64_t SumOf(ConstUnit unit, uint64_t seed) { return base::Hash64(unit.first(kSumOffset), seed); }

// Digests stand in fields of one length here, whatever their kind.
TreeRoot GetRoot(Reader* in) {
  TreeRoot root;
  root.ref.page = in->Get<uint64_t>();
  root.ref.digest = in->GetDigest(kDigestBytesMost);
  root.entries = in->Get<uint64_t>();
  root.level = static_cast<uint8_t>(std::min<uint64_t>(in->Get<uint64_t>(), kLevelsMost + 1));
  return root;
}

void PutRoot(const TreeRoot& root, Writer* out) {
  out->Put(root.ref.page);
  out->PutDigest(root.ref.digest, kDigestBytesMost);
  out->Put(root.entries);
  out->Put(uint64_t{root.level});
}

// The checksum, and what has no use yet: a codec, a cipher, a number, a tree.
struct Kinds {
  uint32_t checksum = 0;
  uint32_t codec = 0;
  uint32_t cipher = 0;
  uint32_t zero = 0;
};

Status CheckKinds(const Kinds& kinds) {
  const auto checksum = ChecksumKind{kinds.checksum};
  if (checksum != ChecksumKind::kXxh3 && checksum != ChecksumKind::kSha256) {
    return {base::Code::kUnsupported, "block file: it has checksums of an unknown kind"};
  }
  if (kinds.codec != 0 || kinds.cipher != 0 || kinds.zero != 0) {
    return {base::Code::kUnsupported, "block file: its blocks are coded in an unknown way"};
  }
  return {};
}

void Finish(const std::vector<uint8_t>& bytes, uint64_t seed, Unit unit) {
  std::fill(unit.begin(), unit.end(), uint8_t{0});
  Store(unit.data(), Bytes(bytes));
  Store(unit.data() + kSumOffset, SumOf(unit, seed));
}

Status CheckFeatures(const Features& features) {
  if ((features.incompatible & ~kKnown.incompatible) != 0) {
    return {base::Code::kUnsupported, "block file: it uses features of a later version"};
  }
  return {};
}

bool BeginsWith(ConstUnit unit, std::string_view magic) {
  return AsText(unit.first(magic.size())) == magic;
}

bool FitsKind(const Digest& digest, ChecksumKind kind) {
  return digest ==
         LoadDigest(reinterpret_cast<const uint8_t*>(digest.words.data()), DigestBytes(kind));
}

Status CheckSuperblock(const Superblock& superblock) {
  const auto damaged = [](const char* what) {
    return base::Corrupt(std::string("block file: superblock: ") + what);
  };
  const uint64_t header_pages = HeaderPages(std::max(superblock.page_bytes, uint32_t{1}));
  if (!std::has_single_bit(superblock.page_bytes) || superblock.page_bytes < kPageBytesLeast ||
      superblock.page_bytes > kPageBytesMost) {
    return damaged("no page has that size");
  }
  if (superblock.pages < header_pages || superblock.pages > INT64_MAX / superblock.page_bytes) {
    return damaged("no file has that many pages");
  }
  const auto is_next = [](uint64_t number) { return number > 0 && number <= kNumberMost; };
  if (!is_next(superblock.next_block_id) || !is_next(superblock.next_version) ||
      superblock.generation > kNumberMost) {
    return damaged("no block can have the next id or version, or no checkpoint its generation");
  }
  if (!FitsKind(superblock.registry.ref.digest, superblock.checksum) ||
      !FitsKind(superblock.space.digest, superblock.checksum)) {
    return damaged("a digest is longer than its kind");
  }
  const TreeRoot& root = superblock.registry;
  if (root.level > kLevelsMost || root.ref.page >= superblock.pages ||
      (root.ref.page != 0 && root.ref.page < header_pages) ||
      (root.ref.empty() && (root.entries != 0 || root.level != 0))) {
    return damaged("the registry stands where none can");
  }
  const SpaceIndexRef& space = superblock.space;
  const uint64_t pages_per_leaf = uint64_t{superblock.page_bytes} * 8;
  if (space.leaves != base::CeilDiv(superblock.pages, pages_per_leaf)) {
    return damaged("the space map has another size than the file");
  }
  const uint64_t index_pages = base::CeilDiv(
      space.leaves * SpaceIndexEntryBytes(DigestBytes(superblock.checksum)), superblock.page_bytes);
  if (space.first_page < header_pages || space.first_page > superblock.pages - index_pages) {
    return damaged("the space map stands where none can");
  }
  if (superblock.journal_page < header_pages) {
    return damaged("the journal stands where none can");
  }
  return {};
}

}  // namespace

bool LooksLikeOurs(ConstUnit unit) {
  return BeginsWith(unit, kSuperblockMagic) || BeginsWith(unit, kMarkMagic);
}

void EncodeSuperblock(const Superblock& superblock, Unit unit) {
  std::vector<uint8_t> bytes;
  Writer out(&bytes);
  out.PutBytes(AsBytes(kSuperblockMagic));
  out.Put(kFormatVersion);
  out.Put(superblock.page_bytes);
  out.PutBytes(superblock.file_id);
  out.Put(superblock.features);
  out.Put(superblock.generation);
  out.Put(superblock.pages);
  out.Put(superblock.next_block_id);
  out.Put(superblock.next_version);
  out.Put(superblock.payload_bytes);
  out.Put(Kinds{.checksum = static_cast<uint32_t>(superblock.checksum)});
  PutRoot(superblock.registry, &out);
  PutRoot(TreeRoot(), &out);
  out.Put(superblock.space.first_page);
  out.Put(superblock.space.leaves);
  out.PutDigest(superblock.space.digest, kDigestBytesMost);
  out.Put(superblock.journal_page);
  out.Put(superblock.journal_salt);
  Finish(bytes, 0, unit);
}

Status DecodeSuperblock(ConstUnit unit, Superblock* superblock) {
  Reader in(unit.first(kSumOffset));
  if (AsText(in.GetBytes(kSuperblockMagic.size())) != kSuperblockMagic) {
    return Status(base::Code::kNotFound);
  }
  if (Load<uint64_t>(unit.data() + kSumOffset) != SumOf(unit, 0)) {
    return base::Corrupt("block file: a superblock fails its checksum");
  }
  if (in.Get<uint32_t>() != kFormatVersion) {
    return {base::Code::kUnsupported, "block file: made by a later version"};
  }
  Superblock found;
  found.page_bytes = in.Get<uint32_t>();
  std::ranges::copy(in.GetBytes(found.file_id.size()), found.file_id.begin());
  found.features = in.Get<Features>();
  found.generation = in.Get<uint64_t>();
  found.pages = in.Get<uint64_t>();
  found.next_block_id = in.Get<uint64_t>();
  found.next_version = in.Get<uint64_t>();
  found.payload_bytes = in.Get<uint64_t>();
  const auto kinds = in.Get<Kinds>();
  found.checksum = ChecksumKind{kinds.checksum};
  found.registry = GetRoot(&in);
  const TreeRoot later = GetRoot(&in);
  found.space.first_page = in.Get<uint64_t>();
  found.space.leaves = in.Get<uint64_t>();
  found.space.digest = in.GetDigest(kDigestBytesMost);
  found.journal_page = in.Get<uint64_t>();
  found.journal_salt = in.Get<uint64_t>();
  SPW_RETURN_IF_ERROR(CheckFeatures(found.features));
  SPW_RETURN_IF_ERROR(CheckKinds(kinds));
  if (!(later == TreeRoot())) {
    return {base::Code::kUnsupported, "block file: it has a tree of a later version"};
  }
  SPW_RETURN_IF_ERROR(CheckSuperblock(found));
  *superblock = found;
  return {};
}

void EncodeMark(const Mark& mark, const FileId& file_id, Unit unit) {
  std::vector<uint8_t> bytes;
  Writer out(&bytes);
  out.PutBytes(AsBytes(kMarkMagic));
  out.Put(mark.number);
  out.Put(mark.generation);
  out.Put(mark.frames);
  out.Put(uint64_t{mark.closed});
  Finish(bytes, base::Hash64(file_id, 0), unit);
}

bool DecodeMark(ConstUnit unit, const FileId& file_id, Mark* mark) {
  Reader in(unit.first(kSumOffset));
  if (AsText(in.GetBytes(kMarkMagic.size())) != kMarkMagic ||
      Load<uint64_t>(unit.data() + kSumOffset) != SumOf(unit, base::Hash64(file_id, 0))) {
    return false;
  }
  mark->number = in.Get<uint64_t>();
  mark->generation = in.Get<uint64_t>();
  mark->frames = in.Get<uint64_t>();
  mark->closed = in.Get<uint64_t>() != 0;
  return mark->number <= kNumberMost;
}

}  // namespace spillway::blockfile
