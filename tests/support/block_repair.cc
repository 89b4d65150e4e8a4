#include "tests/support/block_repair.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "internal/base/checksum.h"
#include "internal/blockfile/codec.h"
#include "internal/blockfile/digest.h"

namespace spillway::test {
namespace {

using blockfile::AsBytes;
using blockfile::Bytes;
using blockfile::Digest;

constexpr uint64_t kUnit = 4096;
constexpr uint64_t kSumAt = kUnit - 8;
constexpr uint64_t kChunk = 65536;

class Repairer {
 public:
  // survey: nothing is changed.
  explicit Repairer(std::string* file, bool survey = false) : file_(*file), survey_(survey) {
    for (uint64_t at : {uint64_t{0}, kUnit}) {
      const bool is_one = IsAt(at, "SPWBLOCK") && Fits(at, kUnit);
      if (is_one && (super_ == kNone || U64(at + 56) > U64(super_ + 56))) {
        super_ = at;
      }
    }
    if (super_ == kNone) {
      return;
    }
    page_bytes_ = std::clamp<uint64_t>(U64(super_ + 8) >> 32, 512, 65536);
    kind_ = (U64(super_ + 96) & 0xffff'ffff) == 2 ? blockfile::ChecksumKind::kSha256
                                                  : blockfile::ChecksumKind::kXxh3;
    std::memcpy(id_.data(), file_.data() + super_ + 16, id_.size());
  }

  void All() {
    if (super_ == kNone) {
      return;
    }
    if (U64(super_ + 112) != 0) {
      Page(U64(super_ + 112), U64(super_ + 160), super_ + 120);
    }
    SpaceMap();
    ForEachFrame([&](uint64_t at, uint64_t last_sum) {
      frames_.push_back(at);
      if (survey_) {
        return;
      }
      Put(at + 24, last_sum);
      Changes(at);
      if (const uint64_t body = U64(at + 40); Fits(at + 96, body)) {
        const Digest digest = digester().OfFrameBody(U64(at + 8), View(at + 96, body));
        std::memcpy(file_.data() + at + 56, digest.words.data(), sizeof digest.words);
      }
      FrameHeader(at);
    });
  }

  void Units() {
    for (uint64_t unit = 0; unit < 4; ++unit) {
      const uint64_t at = unit * kUnit;
      if (Fits(at, kUnit)) {
        const uint64_t seed = unit < 2 ? 0 : base::Hash64(id_, 0);
        Put(at + kSumAt, base::Hash64(View(at, kSumAt), seed));
      }
    }
  }

  void FrameHeader(uint64_t at) {
    if (Fits(at, 96)) {
      Put(at + 88, base::Hash64(View(at, 88), U64(at + 8)));
    }
  }

  template <class Visit>  // (where it begins, sum of the one before)
  void ForEachFrame(Visit&& visit) {
    if (super_ == kNone) {
      return;
    }
    uint64_t at = Offset(U64(super_ + 272));
    uint64_t last_sum = 0;
    for (std::set<uint64_t> seen; IsAt(at, "SPWFRAME") && Fits(at, 96) && seen.insert(at).second;) {
      if (U64(at + 8) != U64(super_ + 280)) {  // of another generation
        break;
      }
      visit(at, last_sum);
      last_sum = U64(at + 88);
      at = Offset(U64(at + 32));
    }
  }

  void SpaceMap() {
    const uint64_t at = Offset(U64(super_ + 224));
    const uint64_t entry_bytes = 8 + digester().digest_bytes();
    const uint64_t leaves = std::min<uint64_t>(U64(super_ + 232), file_.size() / entry_bytes);
    if (!Fits(at, leaves * entry_bytes)) {
      return;
    }
    for (uint64_t entry = at; entry < at + leaves * entry_bytes; entry += entry_bytes) {
      const uint64_t leaf = Offset(U64(entry));
      if (Fits(leaf, page_bytes_)) {
        map_pages_.push_back(leaf);
        PutDigest(entry + 8, leaf, page_bytes_);
      }
    }
    PutDigest(super_ + 240, at, leaves * entry_bytes);
  }

  const std::vector<uint64_t>& registry_pages() const { return registry_pages_; }
  const std::vector<uint64_t>& map_pages() const { return map_pages_; }
  const std::vector<uint64_t>& frames() const { return frames_; }

 private:
  static constexpr uint64_t kNone = UINT64_MAX;

  blockfile::Digester digester() const { return {id_, kind_}; }
  bool Fits(uint64_t at, uint64_t bytes) const {
    return at <= file_.size() && bytes <= file_.size() - at;
  }
  bool IsAt(uint64_t at, std::string_view magic) const {
    return Fits(at, magic.size()) && std::string_view(file_).substr(at, magic.size()) == magic;
  }
  // A page that is not in the file: its end.
  uint64_t Offset(uint64_t page) const {
    return page < file_.size() / page_bytes_ ? page * page_bytes_ : file_.size();
  }
  Bytes View(uint64_t at, uint64_t bytes) const { return AsBytes(file_).subspan(at, bytes); }
  uint64_t U64(uint64_t at) const {
    return Fits(at, 8) ? blockfile::Load<uint64_t>(View(at, 8).data()) : 0;
  }
  void Put(uint64_t at, uint64_t number) { std::memcpy(file_.data() + at, &number, sizeof number); }
  void PutDigest(uint64_t to, const Digest& digest) {
    if (Fits(to, digester().digest_bytes())) {
      std::memcpy(file_.data() + to, digest.words.data(), digester().digest_bytes());
    }
  }
  // That of these bytes.
  void PutDigest(uint64_t to, uint64_t at, uint64_t bytes) {
    if (!survey_) {
      PutDigest(to, digester().OfPage(View(at, bytes)));
    }
  }

  // The page's digest comes to stand at `digest_at`.
  void Page(uint64_t page, uint64_t level, uint64_t digest_at) {
    const uint64_t at = Offset(page);
    if (!Fits(at, page_bytes_) || at < 4 * kUnit || level > 20) {
      return;
    }
    if (visited_.insert(at).second) {
      registry_pages_.push_back(at);
      const uint64_t count = U64(at) >> 16 & 0xffff;
      for (uint64_t i = 0; i < count && 8 + 2 * i < page_bytes_; ++i) {
        const uint64_t entry = at + (U64(at + 8 + 2 * i) & 0xffff);
        const uint64_t key = U64(entry) & 0xffff;
        if (level > 0) {
          Page(U64(entry + 4), level - 1, entry + 20);
        } else {
          Entry(entry + 4 + key, U64(entry) >> 16 & 0xffff);
        }
      }
    }
    PutDigest(digest_at, at, page_bytes_);
  }

  void Entry(uint64_t at, uint64_t bytes) {
    const uint64_t kind = U64(at) & 0xff;
    const uint64_t list = at + 48 + (U64(at) >> 8 & 0xff);
    const uint64_t extents = U64(at) >> 32;
    if (!Fits(at, bytes) || list > at + bytes || kind == 0 || survey_) {
      return;
    }
    if (kind == 1) {
      List(list, at + bytes, extents, U64(at + 8));
      return;
    }
    const uint64_t begin = Offset(U64(list));
    if (Fits(begin, U64(list + 8)) && begin >= 4 * kUnit) {
      List(begin, begin + U64(list + 8), extents, U64(at + 8));
      PutDigest(list + 16, begin, U64(list + 8));
    }
  }

  void List(uint64_t at, uint64_t end, uint64_t extents, uint64_t block_id) {
    if (extents > (end - at) / 16) {
      return;
    }
    uint64_t digest = at + extents * 16;
    for (uint64_t i = 0; i < extents; ++i) {
      const uint64_t page = U64(at + 16 * i);
      const uint64_t bytes = U64(at + 16 * i + 8);
      for (uint64_t done = 0; done < bytes && digest + digester().digest_bytes() <= end;) {
        const uint64_t chunk_page = page + done / page_bytes_;
        const uint64_t size = std::min(kChunk, bytes - done);
        if (Fits(Offset(chunk_page), size)) {
          PutDigest(digest,
                    digester().OfChunk(block_id, chunk_page, View(Offset(chunk_page), size)));
        }
        digest += digester().digest_bytes();
        done += size;
      }
    }
  }

  void Changes(uint64_t frame) {
    const uint64_t end = frame + 96 + std::min<uint64_t>(U64(frame + 40), file_.size());
    for (uint64_t at = frame + 96; at + 8 <= end && Fits(at, 8);) {
      const uint64_t name = U64(at) & 0xffff;
      const uint64_t bytes = U64(at) >> 32;
      Entry(at + 8 + name, bytes);
      at += 8 + name + bytes;
    }
  }

  std::string& file_;
  const bool survey_;
  uint64_t super_ = kNone;  // where the newest superblock stands
  uint64_t page_bytes_ = kUnit;
  blockfile::ChecksumKind kind_ = blockfile::ChecksumKind::kXxh3;
  blockfile::FileId id_{};
  std::set<uint64_t> visited_;
  std::vector<uint64_t> registry_pages_;
  std::vector<uint64_t> map_pages_;
  std::vector<uint64_t> frames_;
};

}  // namespace

void RepairUnits(std::string* file) { Repairer(file).Units(); }
void RepairFrameHeader(std::string* file, uint64_t at) { Repairer(file).FrameHeader(at); }
void RepairAll(std::string* file) {
  Repairer repairer(file);
  repairer.All();
  repairer.Units();
}

Places FindPlaces(const std::string& file) {
  std::string copy = file;
  Repairer repairer(&copy, true);
  repairer.All();
  return {repairer.registry_pages(), repairer.map_pages(), repairer.frames()};
}

}  // namespace spillway::test
