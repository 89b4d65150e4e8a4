// Nodes of the tree beside a sorted list, with keys that make searching hard.
#include "internal/blockfile/tree_node.h"

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using base::Code;
using blockfile::AsBytes;
using blockfile::AsText;
using blockfile::Item;
using blockfile::Node;
using blockfile::PageBuffer;

constexpr uint64_t kPageBytes = 4096;

// Few bytes, long prefixes, keys that are prefixes of others, zeros at the end.
std::string AnyKey(const std::string& prefix, Prng* random) {
  std::string key = random->OneIn(20) ? "" : prefix;
  for (uint64_t i = random->Below(9); i > 0; --i) {
    constexpr char kBytes[] = {'\0', '\1', 'a', 'b', '\377'};
    key += kBytes[random->Below(random->OneIn(3) ? 5 : 2)];
  }
  return key;
}

struct AnyNode {
  AnyNode(uint8_t node_level, uint64_t digest_bytes, Prng* random)
      : level(node_level), page(kPageBytes) {
    const std::string prefix(random->Below(30), 'p');
    std::set<std::string> all;
    for (uint64_t i = random->Between(1, 400); i > 0; --i) {
      all.insert(AnyKey(prefix, random));
    }
    uint64_t left = kPageBytes - blockfile::kNodeHeaderBytes;
    for (const std::string& key : all) {
      keys.push_back(key);
      values.push_back(std::to_string(random->Below(1000)));
      Item item{.key = keys.back(), .value = {}, .child = {}};
      item.value = level == 0 ? AsBytes(values.back()) : blockfile::Bytes();
      const uint64_t bytes = ItemBytes(item, level, digest_bytes);
      if (bytes > left) {
        keys.pop_back();
        break;
      }
      left -= bytes;
    }
    std::vector<Item> items;
    for (size_t i = 0; i < keys.size(); ++i) {
      Item item{.key = keys[i], .value = {}, .child = {}};
      if (level == 0) {
        item.value = AsBytes(values[i]);
      } else {
        item.child = {{i + 1, {{i}}}, i};
      }
      items.push_back(item);
    }
    EncodeNode(items, level, digest_bytes, page);
  }

  uint8_t level;
  std::vector<uint8_t> page;
  std::vector<std::string> keys;
  std::vector<std::string> values;
};

void ExpectSearches(const AnyNode& any, const Node& node, const std::string& wanted) {
  const auto bound = std::lower_bound(any.keys.begin(), any.keys.end(), wanted);
  const auto index = static_cast<uint32_t>(bound - any.keys.begin());
  const bool there = bound != any.keys.end() && *bound == wanted;
  ASSERT_EQ(node.LowerBound(wanted), index);
  ASSERT_EQ(node.Find(wanted), there ? index : node.count());
  ASSERT_EQ(node.ChildFor(wanted), there || index == 0 ? index : index - 1);
}

TEST(TreeNodeTest, SearchesAgreeWithASortedList) {
  Prng random(TestSeed("SearchesAgreeWithASortedList", 1));
  for (int round = 0; round < 400; ++round) {
    const uint64_t digest_bytes = random.OneIn(2) ? 8 : 32;
    const AnyNode any(static_cast<uint8_t>(random.Below(3)), digest_bytes, &random);
    const PageBuffer page = PageBuffer::CopyOf({1, {}}, any.page);
    for (int visit = 0; visit < 2; ++visit) {  // the second finds what the first left
      Node node;
      ASSERT_TRUE(Node::Parse(page, digest_bytes, any.level, &node).ok());
      ASSERT_EQ(node.count(), any.keys.size());
      for (uint32_t i = 0; i < node.count(); ++i) {
        ASSERT_EQ(node.key(i), any.keys[i]);
        ASSERT_EQ(node.item(i).key, any.keys[i]);
        ASSERT_EQ(AsText(node.item(i).value), any.level == 0 ? any.values[i] : "");
        ASSERT_EQ(node.item(i).child.ref.page, any.level == 0 ? 0 : i + 1);
        ExpectSearches(any, node, any.keys[i]);
        ExpectSearches(any, node, any.keys[i] + '\0');
        ExpectSearches(any, node, any.keys[i].substr(0, random.Below(any.keys[i].size() + 1)));
      }
      for (int i = 0; i < 100; ++i) {
        ExpectSearches(any, node, AnyKey(std::string(random.Below(30), 'p'), &random));
      }
    }
  }
}

// What a page was found to be does not make it anything else.
TEST(TreeNodeTest, AParsedPageIsStillNoNodeOfAnotherLevel) {
  Prng random(TestSeed("AParsedPageIsStillNoNodeOfAnotherLevel", 1));
  const AnyNode any(1, 8, &random);
  const PageBuffer page = PageBuffer::CopyOf({1, {}}, any.page);
  Node node;
  ASSERT_TRUE(Node::Parse(page, 8, 1, &node).ok());
  EXPECT_EQ(Node::Parse(page, 8, 0, &node).code(), Code::kCorrupt);
  EXPECT_EQ(Node::Parse(page, 8, 2, &node).code(), Code::kCorrupt);
  EXPECT_EQ(Node::Parse(page, 32, 1, &node).code(), Code::kCorrupt);
  EXPECT_TRUE(Node::Parse(page, 8, 1, &node).ok());
}

TEST(TreeNodeTest, ThreadsParseAPageAtOnce) {
  Prng random(TestSeed("ThreadsParseAPageAtOnce", 1));
  for (int round = 0; round < 50; ++round) {
    const AnyNode any(0, 8, &random);
    const PageBuffer page = PageBuffer::CopyOf({1, {}}, any.page);
    std::vector<std::thread> threads;
    for (int number = 0; number < 3; ++number) {
      threads.emplace_back([&any, page] {
        for (const std::string& key : any.keys) {
          Node node;
          ASSERT_TRUE(Node::Parse(page, 8, 0, &node).ok());
          ExpectSearches(any, node, key);
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
}

}  // namespace
}  // namespace spillway::test
