#include "tests/support/power_cut.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "gtest/gtest.h"

namespace spillway::test {
namespace {

using Bytes = std::vector<uint8_t>;
// What a device reads and writes at once, at the least.
constexpr uint64_t kSector = 512;
using Names = std::map<std::string, uint64_t>;

void ApplyName(const Change& change, Names* names) {
  switch (change.kind) {
    case Change::Kind::kCreate:
      (*names)[change.name] = change.node;
      break;
    case Change::Kind::kRemove:
      names->erase(change.name);
      break;
    case Change::Kind::kRename:
      names->erase(change.name);
      (*names)[change.to] = change.node;
      break;
    default:
      break;
  }
}

std::string FolderOf(const std::string& name) {
  const size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

uint64_t SizeAfter(const Change& change, uint64_t size) {
  return change.kind == Change::Kind::kTruncate
             ? change.offset
             : std::max(size, change.offset + change.bytes.size());
}

// Applies unsynced changes to the durable bytes of one file, as far as luck has it.
class Survivor {
 public:
  Survivor(Bytes bytes, Prng* random, bool garbage)
      : bytes_(std::move(bytes)), random_(random), garbage_(garbage) {
    constexpr uint64_t kPieces[] = {64, 512, 4096};
    piece_ = kPieces[random_->Below(3)];
    // Of a thousand pieces, how many stop at each write: none, few, half, all.
    constexpr uint64_t kStops[] = {0, 5, 50, 500, 1000};
    stops_ = kStops[random_->Below(5)];
  }

  Bytes Apply(const std::vector<const Change*>& changes) {
    ChooseSize(changes);
    for (size_t i = 0; i < changes.size(); ++i) {
      const Change& change = *changes[i];
      if (change.kind == Change::Kind::kWrite) {
        Write(change);
      } else if (i < size_changes_) {
        Truncate(change.offset);
      } else {
        behind_ = std::min(behind_, change.offset);  // its blocks are not freed, so not used anew
      }
    }
    bytes_.resize(size_);
    return std::move(bytes_);
  }

 private:
  void ChooseSize(const std::vector<const Change*>& changes) {
    const uint64_t luck = random_->Below(4);
    size_changes_ = luck == 0 ? 0 : luck == 1 ? random_->Below(changes.size() + 1) : changes.size();
    uint64_t before = bytes_.size();
    size_ = before;
    for (size_t i = 0; i < size_changes_; ++i) {
      before = size_;
      size_ = SizeAfter(*changes[i], size_);
    }
    if (size_ > before && luck == 1) {  // while it grew
      size_ =
          std::min(size_, (before + random_->Below(size_ - before + 1)) / piece_ * piece_ + piece_);
    }
  }

  void Truncate(uint64_t size) {
    bytes_.resize(size);
    stopped_.erase(stopped_.lower_bound((size + piece_ - 1) / piece_), stopped_.end());
  }

  void Write(const Change& change) {
    const uint64_t end = std::min(change.offset + change.bytes.size(), behind_);
    for (uint64_t at = change.offset; at < end;) {
      const uint64_t index = at / piece_;
      const uint64_t until = std::min(end, (index + 1) * piece_);
      if (!stopped_.contains(index)) {
        const bool stops = random_->Below(1000) < stops_;
        if (stops) {
          stopped_.insert(index);
        }
        if (!stops) {
          Put(change, at, until);
        } else if (garbage_ && random_->OneIn(4)) {
          Garble(at, until);
        }
      }
      at = until;
    }
  }

  void Put(const Change& change, uint64_t from, uint64_t to) {
    if (bytes_.size() < to) {
      bytes_.resize(to);
    }
    const auto source = change.bytes.begin() + static_cast<ptrdiff_t>(from - change.offset);
    std::copy(source, source + static_cast<ptrdiff_t>(to - from),
              bytes_.begin() + static_cast<ptrdiff_t>(from));
  }

  // Whole sectors: also the bytes in them that nobody wrote just now.
  void Garble(uint64_t from, uint64_t to) {
    to = (to + kSector - 1) / kSector * kSector;
    if (bytes_.size() < to) {
      bytes_.resize(to);
    }
    for (uint64_t i = from / kSector * kSector; i < to; ++i) {
      bytes_[i] = static_cast<uint8_t>(random_->Next());
    }
  }

  Bytes bytes_;
  Prng* const random_;
  const bool garbage_;
  uint64_t piece_ = 0;
  uint64_t stops_ = 0;
  uint64_t size_ = 0;
  size_t size_changes_ = 0;  // changes whose size survived
  uint64_t behind_ = UINT64_MAX;
  std::set<uint64_t> stopped_;  // pieces that no later write reached
};

}  // namespace

PowerCut::PowerCut(const SimDisk& disk, Garbage garbage)
    : disk_(disk), garbage_(garbage), durable_names_(disk.first_names()) {
  for (const Bytes& bytes : disk.first_contents()) {
    nodes_.push_back(Node{bytes, {}});
  }
}

void PowerCut::AdvanceTo(size_t position) {
  for (; position_ < position; ++position_) {
    const Change& change = disk_.log()[position_];
    switch (change.kind) {
      case Change::Kind::kCreate:
        if (change.node != Change::kFolder) {
          nodes_.resize(std::max<size_t>(nodes_.size(), change.node + 1));
        }
        [[fallthrough]];
      case Change::Kind::kRemove:
      case Change::Kind::kRename:
        if (change.kind != Change::Kind::kCreate || !change.name.empty()) {
          pending_names_.push_back(&change);
        }
        break;
      case Change::Kind::kWrite:
      case Change::Kind::kTruncate:
        nodes_[change.node].pending.push_back(&change);
        break;
      case Change::Kind::kSync:
      case Change::Kind::kFailedSync:
        Settle(&nodes_[change.node], change.kind == Change::Kind::kFailedSync);
        break;
      case Change::Kind::kSyncFolder:
        std::erase_if(pending_names_, [&](const Change* name) {
          const bool its = FolderOf(name->name) == change.name;
          if (its) {
            ApplyName(*name, &durable_names_);
          }
          return its;
        });
        break;
    }
  }
}

void PowerCut::Settle(Node* node, bool sync_failed) {
  if (sync_failed) {
    Prng luck(position_);
    node->durable = Survivor(std::move(node->durable), &luck, false).Apply(node->pending);
  } else {
    ApplyAll(node->pending, &node->durable);
  }
  node->pending.clear();
}

void PowerCut::ApplyAll(const std::vector<const Change*>& changes, Bytes* bytes) {
  for (const Change* change : changes) {
    bytes->resize(SizeAfter(*change, bytes->size()));
    std::copy(change->bytes.begin(), change->bytes.end(),
              bytes->begin() + static_cast<ptrdiff_t>(
                                   change->kind == Change::Kind::kWrite ? change->offset : 0));
  }
}

std::vector<uint8_t> PowerCut::WithAllPending(uint64_t node) const {
  Bytes bytes = nodes_[node].durable;
  ApplyAll(nodes_[node].pending, &bytes);
  return bytes;
}

PowerCut::Bytes PowerCut::ImageOf(const Node& node, Prng* random) const {
  if (node.pending.empty()) {
    return node.durable;
  }
  return Survivor(node.durable, random, garbage_ == Garbage::kYes).Apply(node.pending);
}

// What names may be found.
Names PowerCut::NamesOf(Prng* random) const {
  Names names = durable_names_;
  const bool strict = random->OneIn(2);
  const bool apart = random->OneIn(2);
  const uint64_t kept = strict || apart ? 0 : random->Below(pending_names_.size() + 1);
  for (uint64_t i = 0; i < kept; ++i) {
    ApplyName(*pending_names_[i], &names);
  }
  std::set<std::string> ended;
  for (const Change* change : strict || !apart ? std::vector<const Change*>() : pending_names_) {
    const std::string folder = FolderOf(change->name);
    if (random->OneIn(pending_names_.size() + 1)) {
      ended.insert(folder);
    }
    if (!ended.contains(folder)) {
      ApplyName(*change, &names);
    }
  }
  return names;
}

void PowerCut::WriteImage(uint64_t seed, const std::string& folder) const {
  Prng random(seed);
  const Names names = NamesOf(&random);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::filesystem::remove_all(entry.path());
  }
  for (const auto& [name, node] : names) {
    const std::string path = folder + "/" + name;
    if (node == Change::kFolder) {
      std::error_code lost;  // the folder that it was in
      std::filesystem::create_directory(path, lost);
      continue;
    }
    const Bytes bytes = ImageOf(nodes_[node], &random);
    if (!std::filesystem::is_directory(folder + "/" + FolderOf(name))) {
      continue;
    }
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(out.good()) << path;
  }
}

}  // namespace spillway::test
