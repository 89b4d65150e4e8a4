#include "internal/blockfile/folder_names.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/base/utf8.h"
#include "tests/support/folder_tree.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using blockfile::DecodePath;
using blockfile::EncodeName;
using blockfile::kForms;
using blockfile::OtherForm;
using Path = std::vector<std::string>;

std::string Joined(const Path& path) {
  std::string text;
  for (const std::string& component : path) {
    text += (text.empty() && &component == path.data() ? "" : "/") + component;
  }
  return text;
}

Path Split(const std::string& text) {
  Path path(1);
  for (const char c : text) {
    if (c == '/') {
      path.emplace_back();
    } else {
      path.back() += c;
    }
  }
  return path;
}

TEST(FolderNamesTest, NamesAreWrittenAsTheFormatSays) {
  const std::map<std::string, std::string> table = {
      {"plain", "plain"},
      {"chapter/1", "chapter/1"},
      {"", "%,"},
      {"/", "%,/%,"},
      {"a//b/", "a/%,/b/%,"},
      {"./../...", "%2E/%2E%2E/..%2E"},
      {".hidden", ".hidden"},
      {"dot.", "dot%2E"},
      {"dots..", "dots.%2E"},
      {" space in it ", " space in it%20"},
      {"100%", "100%25"},
      {"%,", "%25,"},
      {"%_/%~", "%25_/%25~"},
      {"a\\b:c*d?e\"f<g>h|i", "a%5Cb%3Ac%2Ad%3Fe%22f%3Cg%3Eh%7Ci"},
      {"\x01\x1f\x7f\n", "%01%1F%7F%0A"},
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"\xc3\xbc\xff", "%C3%BC%FF"},
      {"\xc3\xbc/\xff", "\xc3\xbc/%FF"},
      {"\xed\xa0\x80", "%ED%A0%80"},  // a surrogate is no UTF-8
      {"\xc0\x80", "%C0%80"},         // nor is what could be shorter
  };
  for (const auto& [name, path] : table) {
    EXPECT_EQ(Joined(EncodeName(name)), path) << name;
    EXPECT_EQ(DecodePath(Split(path)), name) << path;
  }
}

TEST(FolderNamesTest, LongPartsAreCutBetweenWholeCharacters) {
  const std::string just(240, 'a');
  EXPECT_EQ(EncodeName(just), Path{just});
  EXPECT_EQ(EncodeName(just + "b"), (Path{std::string(238, 'a') + "%_", "aab"}));
  // 79 escapes have 237 bytes, and the 80th does not fit before the mark.
  std::string stars;
  for (int i = 0; i < 79; ++i) {
    stars += "%2A";
  }
  EXPECT_EQ(EncodeName(std::string(81, '*')), (Path{stars + "%_", "%2A%2A"}));
  std::string greek;
  for (int i = 0; i < 121; ++i) {
    greek += "\xce\xb1";
  }
  EXPECT_EQ(EncodeName(greek), (Path{greek.substr(0, 238) + "%_", greek.substr(238)}));
  std::string euros = "x";
  for (int i = 0; i < 341; ++i) {
    euros += "\xe2\x82\xac";
  }
  ASSERT_EQ(euros.size(), 1024u);
  for (const std::string& name : {just + "b", std::string(81, '*'), greek, euros}) {
    for (const std::string& component : EncodeName(name)) {
      EXPECT_TRUE(base::IsUtf8(component));
    }
    EXPECT_EQ(DecodePath(EncodeName(name)), name);
  }
}

TEST(FolderNamesTest, OtherFormsStandForTheSame) {
  EXPECT_EQ(OtherForm("a", 0), "a");
  EXPECT_EQ(OtherForm("a", 1), "a%,");
  EXPECT_EQ(OtherForm("%,", 1), "%,%,");
  EXPECT_EQ(OtherForm("long%_", 2), "long%,%,%_");
  EXPECT_EQ(DecodePath(Path{"a%,", "b"}), "a/b");
  EXPECT_EQ(DecodePath(Path{"a%,%,%,", "b%,"}), "a/b");
  EXPECT_EQ(DecodePath(Path{"%,%,"}), "");
}

TEST(FolderNamesTest, WhatNoExportWroteStandsForItself) {
  for (const std::string path : {"50% off",
                                 "100%41",
                                 "a%20b",
                                 "%",
                                 "%%",
                                 "%2",
                                 "%2f",
                                 "%2F",
                                 "%00",
                                 "a%3fb",
                                 "a:b",
                                 "x?",
                                 "tail.",
                                 "tail ",
                                 "%_",
                                 "a%_/b",
                                 "%_/%_",
                                 "a%_/%_/b",
                                 "a%,%,%,%,",
                                 "%,%,%,%,%,",
                                 "a%,b",
                                 "\xff",
                                 "\xc3\xbc\xff",
                                 "a%FF%",
                                 "%C3%BC",
                                 "%~0123456789ABCDEG",
                                 "%~"}) {
    EXPECT_EQ(DecodePath(Split(path)), path);
  }
  // Only the components that were not written by one.
  EXPECT_EQ(DecodePath(Path{"odd%_", "what%3F", "100%"}), "odd%_/what?/100%");
  EXPECT_EQ(DecodePath(Path{std::string(239, 'a')}), std::string(239, 'a'));
  EXPECT_EQ(DecodePath(Path{std::string(255, 'a')}), std::string(255, 'a'));
  EXPECT_EQ(DecodePath(Path{std::string(238, 'a') + "%_", "aa"}),
            std::string(238, 'a') + "%_/aa");  // 240 need no cut
}

TEST(FolderNamesTest, TemporaryNamesAreNoBlocksNames) {
  EXPECT_EQ(blockfile::TemporaryName(0x1f), "%~000000000000001F");
  EXPECT_TRUE(blockfile::IsTemporaryName(blockfile::TemporaryName(UINT64_MAX)));
  for (const char* other : {"%~", "%~00000000000000", "%~000000000000000g", "~0000000000000000F",
                            "%~0000000000000000F"}) {
    EXPECT_FALSE(blockfile::IsTemporaryName(other)) << other;
  }
  EXPECT_EQ(EncodeName(blockfile::TemporaryName(1)), Path{"%25~0000000000000001"});
}

// ---- any name at all ----

std::string RandomName(Prng* random) {
  return NastyName(random, random->OneIn(3) ? 1024 : random->OneIn(2) ? 300 : 12);
}

void CheckPath(const std::string& name, const Path& path) {
  size_t bytes = 0;
  for (const std::string& component : path) {
    ASSERT_FALSE(component.empty() || component == "." || component == "..") << name;
    ASSERT_LE(component.size(), blockfile::kComponentBytesMost) << name;
    ASSERT_TRUE(base::IsUtf8(component)) << name;
    ASSERT_EQ(component.find_first_of("/\\:*?\"<>|\x7f"), std::string::npos) << name;
    ASSERT_FALSE(blockfile::IsTemporaryName(component)) << name;
    ASSERT_TRUE(component.back() != '.' && component.back() != ' ') << component;
    bytes += component.size() + 1;
  }
  ASSERT_LT(bytes, 4096u) << name;
  ASSERT_EQ(DecodePath(path), name);
}

TEST(FolderNamesTest, EveryNameComesBackFromItsPathInWhateverForms) {
  const uint64_t seed = TestSeed("EveryNameComesBackFromItsPath", 1);
  Prng random(seed);
  std::map<std::string, std::string> name_of;  // of a path
  for (int i = 0; i < 20'000 && !::testing::Test::HasFatalFailure(); ++i) {
    const std::string name = RandomName(&random);
    Path path = EncodeName(name);
    CheckPath(name, path);
    const auto [found, added] = name_of.emplace(Joined(path), name);
    ASSERT_TRUE(added || found->second == name) << "two names, one path: " << found->first;
    for (std::string& component : path) {
      component = OtherForm(component, random.OneIn(2) ? 0 : random.Below(kForms));
      ASSERT_LE(component.size(), 255u);
    }
    ASSERT_EQ(DecodePath(path), name);
  }
}

// As an export has it: in the order of names, a file has its plain path unless a folder stands
// there, and a folder the first form that no file has.
TEST(FolderNamesTest, FilesAndFoldersOfOneNameStandBesideEachOther) {
  const uint64_t seed = TestSeed("FilesAndFoldersOfOneName", 1);
  Prng random(seed);
  for (int round = 0; round < 300 && !::testing::Test::HasFatalFailure(); ++round) {
    std::set<std::string> names;
    for (int i = 0; i < 60; ++i) {
      std::string name = RandomName(&random).substr(0, random.Below(8));
      names.insert(name);
      names.insert(name + "/" + RandomName(&random).substr(0, 3));
    }
    std::map<std::string, bool> is_folder;  // of what is there
    for (const std::string& name : names) {
      const Path path = EncodeName(name);
      std::string at;
      for (size_t i = 0; i < path.size(); ++i) {
        const bool folder = i + 1 < path.size();
        std::string form;
        for (size_t k = 0; k < kForms; ++k) {
          form = at + (i == 0 ? "" : "/") + OtherForm(path[i], k);
          const auto found = is_folder.find(form);
          if (found == is_folder.end() || (folder && found->second)) {
            break;
          }
        }
        ASSERT_TRUE(is_folder.emplace(form, folder).first->second == folder) << form;
        at = form;
      }
      ASSERT_EQ(DecodePath(Split(at)), name);
    }
  }
}

}  // namespace
}  // namespace spillway::test
