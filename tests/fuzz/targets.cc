// The parsers, one by one. Where a sum would keep the fuzzer out, it is made right first: whoever
// means harm can do that, too.
#include "tests/fuzz/targets.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "internal/base/checksum.h"
#include "internal/blockfile/entry.h"
#include "internal/blockfile/frame.h"
#include "internal/blockfile/layout.h"
#include "internal/blockfile/space_map.h"
#include "internal/blockfile/tree_node.h"

namespace spillway::fuzz {

using base::Code;
using base::Status;
using blockfile::Bytes;
using blockfile::Item;

void Require(bool truth, const char* what) {
  if (!truth) {
    std::fprintf(stderr, "broken promise: %s\n", what);
    std::abort();
  }
}

namespace {

bool MayRefuse(const Status& status) {
  return status.code() == Code::kCorrupt || status.code() == Code::kUnsupported ||
         status.code() == Code::kNotFound;
}

// A byte that chooses something, taken from the front.
uint8_t Choice(Input* input) {
  if (input->empty()) {
    return 0;
  }
  const uint8_t byte = input->front();
  *input = input->subspan(1);
  return byte;
}

bool Same(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}  // namespace

void Superblock(Input input) {
  std::array<uint8_t, blockfile::kUnitBytes> unit{};
  std::copy_n(input.begin(), std::min(input.size(), unit.size()), unit.begin());
  const Bytes summed = Bytes(unit).first(unit.size() - 8);
  blockfile::Store(unit.data() + summed.size(), base::Hash64(summed, 0));
  blockfile::Superblock superblock;
  const Status decoded = blockfile::DecodeSuperblock(unit, &superblock);
  Require(decoded.ok() || MayRefuse(decoded), "a superblock is refused as such");
  if (decoded.ok()) {
    std::array<uint8_t, blockfile::kUnitBytes> again{};
    blockfile::Superblock same;
    EncodeSuperblock(superblock, again);
    Require(blockfile::DecodeSuperblock(again, &same).ok() && same == superblock,
            "a superblock is written as it was read");
  }
  const blockfile::FileId id{1, 2, 3};
  blockfile::Store(unit.data() + summed.size(), base::Hash64(summed, base::Hash64(id, 0)));
  blockfile::Mark mark;
  if (blockfile::DecodeMark(unit, id, &mark)) {
    std::array<uint8_t, blockfile::kUnitBytes> again{};
    blockfile::Mark same;
    EncodeMark(mark, id, again);
    Require(blockfile::DecodeMark(again, id, &same) && same == mark,
            "a mark is written as it was read");
  }
}

void Frame(Input input) {
  const bool is_sha256 = Choice(&input) % 2 == 1;
  if (input.size() < blockfile::kFrameHeaderBytes) {
    return;
  }
  const blockfile::Digester digester(
      {}, is_sha256 ? blockfile::ChecksumKind::kSha256 : blockfile::ChecksumKind::kXxh3);
  std::vector<uint8_t> frame(input.begin(), input.end());
  const Bytes body = Bytes(frame).subspan(blockfile::kFrameHeaderBytes);
  const auto salt = blockfile::Load<uint64_t>(frame.data() + 8);
  blockfile::Store(frame.data() + 40, uint64_t{body.size()});
  blockfile::StoreDigest(frame.data() + 56, digester.OfFrameBody(salt, body),
                         blockfile::kDigestBytesMost);
  blockfile::Store(frame.data() + 88, base::Hash64(Bytes(frame).first(88), salt));
  blockfile::FrameHeader header;
  if (!blockfile::DecodeFrameHeader(frame, &header)) {
    return;
  }
  std::vector<blockfile::TreeChange> changes;
  const Status decoded = blockfile::DecodeFrameBody(header, body, digester, &changes);
  Require(decoded.ok() || decoded.code() == Code::kCorrupt, "a whole frame is read or damaged");
  if (decoded.ok()) {
    std::vector<uint8_t> again;
    blockfile::FrameHeader same = header;
    EncodeFrame(changes, 512, digester, &same, &again);
    Require(again.size() >= frame.size() && Same(Bytes(again).first(frame.size()), frame),
            "a frame is written as it was read");
  }
}

void TreeNode(Input input) {
  const uint8_t choice = Choice(&input);
  const uint64_t page_bytes = choice % 2 == 0 ? 512 : 4096;
  const uint64_t digest_bytes = choice / 2 % 2 == 0 ? 8 : 32;
  const auto level = static_cast<uint8_t>(choice / 4 % 4);
  std::vector<uint8_t> bytes(page_bytes);
  std::copy_n(input.begin(), std::min<uint64_t>(input.size(), page_bytes), bytes.begin());
  const blockfile::PageBuffer page = blockfile::PageBuffer::CopyOf({}, bytes);
  blockfile::Node node;
  const Status parsed = blockfile::Node::Parse(page, digest_bytes, level, &node);
  Require(parsed.ok() || parsed.code() == Code::kCorrupt, "a page is a node or damaged");
  if (!parsed.ok()) {
    return;
  }
  std::vector<Item> items;
  for (uint32_t i = 0; i < node.count(); ++i) {
    items.push_back(node.item(i));
    Require(node.LowerBound(items[i].key) == i && node.Find(items[i].key) == i, "keys are found");
    const std::string behind = std::string(items[i].key) + '\0';
    Require(node.LowerBound(behind) == i + 1, "what is behind a key is behind it");
    const bool is_next = i + 1 < node.count() && node.key(i + 1) == behind;
    Require(level == 0 || node.ChildFor(behind) == (is_next ? i + 1 : i),
            "a child holds what follows its key");
  }
  std::vector<uint8_t> again(page_bytes);
  EncodeNode(items, level, digest_bytes, again);
  const auto end = blockfile::Load<uint32_t>(bytes.data() + 4);
  Require(Same(Bytes(again).first(end), Bytes(bytes).first(end)),
          "a node is written as it was read");
}

void Entry(Input input) {
  const uint8_t choice = Choice(&input);
  blockfile::Shape shape;
  shape.page_bytes = choice % 2 == 0 ? 512 : 4096;
  shape.digest_bytes = choice / 2 % 2 == 0 ? 8 : 32;
  shape.pages = choice / 4 % 2 == 0 ? 1000 : uint64_t{1} << 40;
  // The list, if it stands elsewhere, is what follows.
  const uint64_t split = uint64_t{4} * Choice(&input);
  const Bytes bytes = input.first(std::min<uint64_t>(split, input.size()));
  const Bytes list_bytes = input.subspan(bytes.size());
  blockfile::Entry entry;
  bool has_list = false;
  blockfile::ListRef list;
  Status status = DecodeEntry(bytes, shape, &entry, &has_list, &list);
  if (status.ok() && has_list) {
    status = DecodeList(list_bytes, shape, list.extents, &entry);
  }
  Require(status.ok() || MayRefuse(status), "an entry is refused as such");
  Require(entry.extents.size() <= input.size() && entry.digests.size() <= input.size(),
          "no entry is larger than its bytes");
  if (!status.ok()) {
    return;
  }
  uint64_t length = entry.inline_bytes.size();
  for (const blockfile::Extent& extent : entry.extents) {
    length += extent.bytes;
    Require(extent.first_page * shape.page_bytes >= blockfile::kHeaderBytes &&
                extent.run(shape.page_bytes).end() <= shape.pages,
            "an extent is in the file");
  }
  Require(length == entry.length, "the parts add up");
  std::vector<uint8_t> again;
  EncodeEntry(entry, has_list ? &list : nullptr, shape.digest_bytes, &again);
  Require(Same(again, bytes), "an entry is written as it was read");
  if (has_list) {
    again.clear();
    EncodeList(entry, shape.digest_bytes, &again);
    Require(Same(again, list_bytes), "a list is written as it was read");
  }
}

void SpaceMap(Input input) {
  constexpr uint64_t kLeafBytes = 64;
  const uint64_t pages = (Choice(&input) * uint64_t{256} + Choice(&input)) % 3000 + 1;
  blockfile::SpaceMap map(kLeafBytes);
  map.Grow(pages);
  uint64_t used = 0;
  for (uint64_t leaf = 0; leaf < map.leaf_count(); ++leaf) {
    std::array<uint8_t, kLeafBytes> bytes{};
    const size_t size = std::min(input.size(), bytes.size());
    std::copy_n(input.begin(), size, bytes.begin());
    input = input.subspan(size);
    if (!map.LoadLeaf(leaf, bytes)) {
      return;
    }
    std::array<uint8_t, kLeafBytes> again{};
    map.EncodeLeaf(leaf, again);
    Require(bytes == again, "a leaf is written as it was read");
    for (const uint8_t byte : bytes) {
      used += static_cast<uint64_t>(__builtin_popcount(byte));
    }
  }
  Require(map.pages_used() == used && map.pages_free() == pages - used, "pages are counted");
  // What is left changes the map, page by page looked after.
  for (; input.size() >= 3; input = input.subspan(3)) {
    const blockfile::PageRun run = {(input[1] * uint64_t{256} + input[2]) % (pages + 10),
                                    input[0] / uint64_t{8} + 1};
    bool done = true;
    switch (input[0] % 8) {
      case 0:
        done = !map.Hold(run.pages).has_value();
        break;
      case 1:
        done = map.HoldAt(run) && map.Keep(run) && map.IsUsed(run);
        break;
      case 2:
        done = map.Release(run) && map.IsHeld(run);
        break;
      case 3:
        done = map.Free(run) && map.IsFree(run.first);
        break;
      case 4:
        map.Grow(std::min<uint64_t>(pages + run.pages, 4000));
        break;
      case 5:
        map.Shrink(map.size() - map.free_at_end());
        break;
      default:
        done = map.longest_free() <= map.pages_free();
        Require(done, "no run is longer than all");
    }
    Require(map.pages_used() + map.pages_held() <= map.size(), "no page is counted twice");
  }
}

}  // namespace spillway::fuzz
