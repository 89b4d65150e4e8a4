// The registry's tree beside a std::map.
#include "internal/blockfile/tree.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::AsBytes;
using blockfile::AsText;
using blockfile::Bytes;
using blockfile::ChecksumKind;
using blockfile::Digester;
using blockfile::PageBuffer;
using blockfile::PageRef;
using blockfile::TreeChange;
using blockfile::TreeCursor;
using blockfile::TreeRoot;
using Model = std::map<std::string, std::string, std::less<>>;

constexpr uint64_t kPageBytes = 512;

// Pages in memory; knows which are in use.
class MemoryPages final : public blockfile::PageSource, public blockfile::PageSink {
 public:
  explicit MemoryPages(ChecksumKind kind = ChecksumKind::kXxh3)
      : digester(blockfile::FileId{7}, kind) {}
  uint64_t digest_bytes() const override { return digester.digest_bytes(); }
  uint64_t page_bytes() const override { return kPageBytes; }
  Status Read(const PageRef& ref, PageBuffer* page) override {
    ++reads;
    const auto found = pages.find(ref.page);
    if (found == pages.end() || !(digester.OfPage(found->second) == ref.digest)) {
      return base::Corrupt("page " + std::to_string(ref.page));
    }
    *page = PageBuffer::CopyOf(ref, found->second);
    return {};
  }
  Status Write(std::span<const uint8_t> page, PageRef* ref) override {
    if (writes_left == 0) {
      return Status(Code::kFull);
    }
    --writes_left;
    *ref = {next++, digester.OfPage(page)};
    pages.emplace(ref->page, std::vector<uint8_t>(page.begin(), page.end()));
    live.insert(ref->page);
    return {};
  }
  Status Release(const PageRef& ref) override {
    return live.erase(ref.page) == 1 ? Status() : base::Corrupt("released twice");
  }

  const Digester digester;
  std::map<uint64_t, std::vector<uint8_t>> pages;  // what was written stays, for old roots
  std::set<uint64_t> live;
  uint64_t next = 1;
  uint64_t reads = 0;
  uint64_t writes_left = UINT64_MAX;
};

// The pages of a tree; and every rule that its pages have to keep.
void CheckPages(MemoryPages* pages, const PageRef& ref, uint8_t level, bool is_root,
                std::string_view least, uint64_t* entries, std::set<uint64_t>* found) {
  PageBuffer page;
  blockfile::Node node;
  ASSERT_TRUE(pages->Read(ref, &page).ok());
  ASSERT_TRUE(blockfile::Node::Parse(page, pages->digest_bytes(), level, &node).ok());
  ASSERT_TRUE(found->insert(ref.page).second);
  ASSERT_GT(node.count(), is_root && level > 0 ? 1u : 0u);
  ASSERT_GE(node.key(0), least);
  if (level == 0) {
    *entries += node.count();
    return;
  }
  for (uint32_t i = 0; i < node.count(); ++i) {
    uint64_t below = 0;
    CheckPages(pages, node.item(i).child.ref, static_cast<uint8_t>(level - 1), false, node.key(i),
               &below, found);
    ASSERT_EQ(below, node.item(i).child.entries);
    *entries += below;
  }
}

void CheckTree(MemoryPages* pages, const TreeRoot& root, const Model& model) {
  ASSERT_EQ(root.entries, model.size());
  TreeCursor cursor(pages, root);
  ASSERT_TRUE(cursor.Seek("").ok());
  for (const auto& [key, value] : model) {
    ASSERT_TRUE(cursor.valid());
    ASSERT_EQ(cursor.key(), key);
    ASSERT_EQ(AsText(cursor.value()), value);
    ASSERT_TRUE(cursor.Next().ok());
  }
  ASSERT_FALSE(cursor.valid());
}

void CheckLivePages(MemoryPages* pages, const TreeRoot& root) {
  std::set<uint64_t> found;
  uint64_t entries = 0;
  if (!root.ref.empty()) {
    CheckPages(pages, root.ref, root.level, true, "", &entries, &found);
  }
  ASSERT_EQ(entries, root.entries);
  ASSERT_EQ(found, pages->live);
}

std::string AnyKey(Prng* random) {
  std::string key = std::to_string(random->Below(random->OneIn(2) ? 300 : 5000));
  if (random->OneIn(10)) {
    key.append(random->Below(90), 'k');
  }
  if (random->OneIn(20)) {
    key.insert(key.begin(), '\0');
  }
  return key;
}

// Random changes, also as the model's.
std::vector<TreeChange> AnyChanges(Prng* random, bool mostly_removals, Model* model, Model* added,
                                   std::set<std::string>* removed) {
  const uint64_t count = random->OneIn(5) ? random->Between(1, 600) : random->Between(1, 20);
  for (uint64_t i = 0; i < count; ++i) {
    std::string key = AnyKey(random);
    if (random->OneIn(mostly_removals ? 4 : 3) != mostly_removals) {
      if (mostly_removals && !model->empty() && !random->OneIn(4)) {  // one that is there
        const auto at = model->lower_bound(key);
        key = at == model->end() ? model->begin()->first : at->first;
      }
      added->erase(key);
      model->erase(key);
      removed->insert(key);
      continue;
    }
    std::string value(random->Below(random->OneIn(10) ? 140 : 30), 'v');
    value += std::to_string(random->Next() % 1000);
    removed->erase(key);
    (*model)[key] = value;
    (*added)[key] = value;
  }
  std::map<std::string_view, std::optional<Bytes>> sorted;
  for (const auto& [key, value] : *added) {
    sorted[key] = AsBytes(value);
  }
  for (const std::string& key : *removed) {
    sorted[key] = std::nullopt;
  }
  std::vector<TreeChange> changes;
  for (const auto& [key, value] : sorted) {
    changes.push_back({key, value});
  }
  return changes;
}

TEST(TreeTest, AgreesWithAMapWhateverChanges) {
  for (uint64_t i = 0; i < 12; ++i) {
    Prng random(TestSeed("AgreesWithAMapWhateverChanges", i));
    MemoryPages pages(i % 2 == 0 ? ChecksumKind::kXxh3 : ChecksumKind::kSha256);
    Model model;
    TreeRoot root;
    for (int round = 0; round < 60 && !::testing::Test::HasFailure(); ++round) {
      const Model before = model;
      Model added;
      std::set<std::string> removed;
      const auto changes = AnyChanges(&random, round % 20 >= 12, &model, &added, &removed);
      TreeRoot updated;
      ASSERT_TRUE(TreeUpdate(&pages, &pages, root, changes, &updated).ok());
      CheckTree(&pages, updated, model);
      CheckLivePages(&pages, updated);
      CheckTree(&pages, root, before);  // the old root is a snapshot
      root = updated;
      for (int look = 0; look < 20; ++look) {
        const std::string key = AnyKey(&random);
        PageBuffer page;
        std::optional<Bytes> value;
        ASSERT_TRUE(TreeFind(&pages, root, key, &page, &value).ok());
        const auto expected = model.find(key);
        ASSERT_EQ(value.has_value(), expected != model.end()) << key;
        TreeCursor cursor(&pages, root);
        ASSERT_TRUE(cursor.Seek(key).ok());
        const auto bound = model.lower_bound(key);
        ASSERT_EQ(cursor.valid(), bound != model.end());
        if (bound != model.end()) {
          ASSERT_EQ(cursor.key(), bound->first);
        }
      }
    }
    // Everything goes: no page is left.
    std::vector<TreeChange> all;
    for (const auto& [key, value] : model) {
      all.push_back({key, std::nullopt});
    }
    TreeRoot empty;
    ASSERT_TRUE(TreeUpdate(&pages, &pages, root, all, &empty).ok());
    EXPECT_TRUE(empty.ref.empty());
    EXPECT_TRUE(pages.live.empty());
  }
}

TEST(TreeTest, AscendingKeysFillPagesAndSmallChangesTouchOnePath) {
  MemoryPages pages;
  TreeRoot root;
  std::vector<std::string> keys;
  for (int i = 0; i < 20'000; ++i) {
    char key[16];
    std::snprintf(key, sizeof key, "%08d", i);
    keys.emplace_back(key);
  }
  for (size_t begin = 0; begin < keys.size(); begin += 500) {
    std::vector<TreeChange> changes;
    for (size_t i = begin; i < begin + 500; ++i) {
      changes.push_back({keys[i], AsBytes("value")});
    }
    ASSERT_TRUE(TreeUpdate(&pages, &pages, root, changes, &root).ok());
  }
  CheckLivePages(&pages, root);
  const uint64_t bytes_per_entry = 2 + 4 + 8 + 5;
  EXPECT_LT(pages.live.size() * kPageBytes, keys.size() * bytes_per_entry * 5 / 4);
  const uint64_t pages_before = pages.next;
  ASSERT_TRUE(TreeUpdate(&pages, &pages, root, {{keys[777], AsBytes("other")}}, &root).ok());
  EXPECT_EQ(pages.next - pages_before, root.level + 1u);
}

TEST(TreeTest, AFailedWriteLeavesTheOldTree) {
  Prng random(TestSeed("AFailedWriteLeavesTheOldTree", 3));
  MemoryPages pages;
  Model model;
  Model added;
  std::set<std::string> removed;
  TreeRoot root;
  auto changes = AnyChanges(&random, false, &model, &added, &removed);
  ASSERT_TRUE(TreeUpdate(&pages, &pages, root, changes, &root).ok());
  const Model before = model;
  for (uint64_t writes = 0;; ++writes) {
    const std::set<uint64_t> live = pages.live;
    pages.writes_left = writes;
    TreeRoot updated;
    changes = AnyChanges(&random, false, &model, &added, &removed);
    const Status status = TreeUpdate(&pages, &pages, root, changes, &updated);
    pages.writes_left = UINT64_MAX;
    CheckTree(&pages, root, before);
    if (status.ok()) {
      break;
    }
    EXPECT_EQ(status.code(), Code::kFull);
    pages.live = live;
  }
}

TEST(TreeTest, DamagedPagesAreReportedWhateverTheyHold) {
  Prng random(TestSeed("DamagedPagesAreReportedWhateverTheyHold", 11));
  MemoryPages pages;
  Model model;
  Model added;
  std::set<std::string> removed;
  TreeRoot root;
  for (int i = 0; i < 30; ++i) {
    added.clear();
    removed.clear();
    const auto changes = AnyChanges(&random, false, &model, &added, &removed);
    ASSERT_TRUE(TreeUpdate(&pages, &pages, root, changes, &root).ok());
  }
  ASSERT_GE(root.level, 2);
  for (int i = 0; i < 20'000; ++i) {
    auto at = pages.pages.begin();
    std::advance(at, random.Below(pages.pages.size()));
    std::vector<uint8_t> damaged = at->second;
    for (uint64_t flips = random.Between(1, 4); flips > 0; --flips) {
      const size_t place = random.OneIn(2) ? random.Below(60) : random.Below(kPageBytes);
      damaged[place] = static_cast<uint8_t>(random.Next());
    }
    // As if the digests had been repaired: nothing is read beyond the page (the sanitizers see it).
    blockfile::Node node;
    const uint8_t level = damaged[1] < 5 ? damaged[1] : 0;
    if (blockfile::Node::Parse(PageBuffer::CopyOf({1, {}}, damaged), pages.digest_bytes(), level,
                               &node)
            .ok()) {
      for (uint32_t each = 0; each < node.count(); ++each) {
        ASSERT_LE(node.item(each).value.size() + node.key(each).size(), kPageBytes);
      }
    }
  }
}

// Ten entries that lead to the same page, level upon level: to walk it all would take for ever.
TEST(BlockFileTreeTest, APageThatIsReachedTwiceIsDamage) {
  MemoryPages pages;
  const auto write = [&](const std::vector<blockfile::Item>& items, uint8_t level) {
    std::vector<uint8_t> page(kPageBytes);
    blockfile::EncodeNode(items, level, pages.digest_bytes(), page);
    PageRef ref;
    EXPECT_TRUE(pages.Write(page, &ref).ok());
    return ref;
  };
  TreeRoot root;
  root.ref = write({{.key = "a", .value = {}, .child = {}}}, 0);
  const std::string keys = "abcdefghij";
  for (root.level = 1;; ++root.level) {
    std::vector<blockfile::Item> items;
    for (const char& key : keys) {
      items.push_back({.key = {&key, 1}, .value = {}, .child = {root.ref, 1}});
    }
    root.ref = write(items, root.level);
    if (root.level == blockfile::kLevelsMost) {
      break;
    }
  }
  TreeCursor cursor(&pages, root);
  ASSERT_TRUE(cursor.Seek("").ok());
  EXPECT_EQ(cursor.key(), "a");
  EXPECT_EQ(cursor.Next().code(), Code::kCorrupt);
  EXPECT_LT(pages.reads, 100u);
}

// Pages behind a place are copied in front of it, with those that say where they are; the tree and
// an old root stay what they were.
TEST(TreeMoveTest, TheSameTreeStandsElsewhere) {
  Prng random(5);
  MemoryPages pages;
  TreeRoot root;
  Model model;
  for (int round = 0; round < 30; ++round) {
    std::map<std::string, std::string> fresh;
    for (int i = 0; i < 20; ++i) {
      fresh["key " + std::to_string(random.Below(2000))] = std::string(random.Below(60), 'v');
    }
    std::vector<TreeChange> changes;
    for (const auto& [key, value] : fresh) {
      changes.push_back({key, AsBytes(value)});
      model[key] = value;
    }
    ASSERT_TRUE(TreeUpdate(&pages, &pages, root, changes, &root).ok());
  }
  const std::set<uint64_t> before = pages.live;
  const uint64_t from = *std::next(before.begin(), static_cast<ptrdiff_t>(before.size() / 2));
  const uint64_t written = pages.next;
  TreeRoot moved;
  ASSERT_TRUE(TreeMove(&pages, &pages, root, from, &moved).ok());
  EXPECT_GT(pages.next, written);
  for (const uint64_t page : pages.live) {
    EXPECT_TRUE(page < from || page >= written) << page;
  }
  // No leaf that could stay was copied.
  EXPECT_LT(pages.next - written, before.size());
  CheckTree(&pages, moved, model);
  CheckLivePages(&pages, moved);
  CheckTree(&pages, root, model);
  TreeRoot again;
  ASSERT_TRUE(TreeMove(&pages, &pages, moved, pages.next, &again).ok());
  EXPECT_TRUE(again == moved);
  ASSERT_TRUE(TreeMove(&pages, &pages, TreeRoot(), 0, &again).ok());
  EXPECT_TRUE(again == TreeRoot());
}

}  // namespace
}  // namespace spillway::test
