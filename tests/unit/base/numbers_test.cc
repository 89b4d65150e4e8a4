// Checksums, sizes, statuses and the memory of the machine.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/bytes.h"
#include "internal/base/checksum.h"
#include "internal/base/machine_memory.h"
#include "internal/base/status.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

TEST(ChecksumTest, IsXxh3AsPublished) {
  // From xxHash's own tables: XXH3_64bits of no bytes, with seed 0.
  EXPECT_EQ(base::Hash64({}, 0), 0x2D06800538D394C2U);
}

std::string Sha256Hex(std::string_view head, std::string_view body) {
  const auto bytes = [](std::string_view text) {
    return std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  };
  std::string hex;
  for (const uint8_t byte : base::Sha256(bytes(head), bytes(body))) {
    hex += "0123456789abcdef"[byte / 16];
    hex += "0123456789abcdef"[byte % 16];
  }
  return hex;
}

TEST(ChecksumTest, IsSha256AsPublishedWhereverItIsCut) {
  // The examples of FIPS 180-2, appendix B, and the sum of nothing.
  const std::string two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  const std::pair<std::string, std::string> published[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {two_blocks, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const auto& [text, sum] : published) {
    for (size_t cut = 0; cut <= std::min<size_t>(text.size(), 200); ++cut) {
      const std::string_view all = text;
      ASSERT_EQ(Sha256Hex(all.substr(0, cut), all.substr(cut)), sum) << cut;
      cut += text.size() > 200 ? 40 : 0;
    }
  }
}

TEST(ChecksumTest, PartsAreTheWholeAndASeedOrABitMakesADifference) {
  std::vector<uint8_t> bytes(5000);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  for (const size_t size : {0U, 1U, 16U, 17U, 128U, 240U, 241U, 1024U, 4096U, 5000U}) {
    const std::span<const uint8_t> all(bytes.data(), size);
    const uint64_t whole = base::Hash64(all, 42);
    base::Hasher hasher(42);
    hasher.Update(all.first(size / 3)).Update(all.subspan(size / 3));
    EXPECT_EQ(hasher.Digest(), whole) << size;
    EXPECT_NE(base::Hash64(all, 43), whole) << size;
    if (size > 0) {
      bytes[size - 1] ^= 0x80;
      EXPECT_NE(base::Hash64(all, 42), whole) << size;
      bytes[size - 1] ^= 0x80;
    }
    hasher.Reset(1);
    hasher.Update(all);
    EXPECT_EQ(hasher.Digest(), base::Hash64(all, 1)) << size;
  }
}

TEST(BytesTest, SumsAndPercentagesSaturate) {
  EXPECT_EQ(base::SaturatingAdd(UINT64_MAX, 1), base::kUnlimited);
  EXPECT_EQ(base::SaturatingMul(UINT64_MAX / 2, 3), base::kUnlimited);
  EXPECT_EQ(base::PercentOf(base::kUnlimited, 70), base::kUnlimited);
  EXPECT_EQ(base::PercentOf(199, 130), 258U);
  EXPECT_EQ(base::PercentOf(UINT64_MAX - 1, 1000), base::kUnlimited);
  EXPECT_EQ(base::RoundUp(4097, 4096), 8192U);
  EXPECT_EQ(base::RoundUp(8192, 4096), 8192U);
}

TEST(StatusTest, WhateverIsThrownBecomesAStatus) {
  using base::CatchToStatus;
  using base::Code;
  using base::Status;
  EXPECT_TRUE(CatchToStatus([] { return Status(); }).ok());
  EXPECT_EQ(CatchToStatus([]() -> Status { throw std::bad_alloc(); }).code(), Code::kNoMemory);
  const Status status = CatchToStatus([]() -> Status { throw std::runtime_error("why"); });
  EXPECT_EQ(status.code(), Code::kInternal);
  EXPECT_EQ(status.message(), "why");
  EXPECT_EQ(CatchToStatus([]() -> Status { throw 5; }).code(), Code::kInternal);
}

// A /proc and a /sys/fs/cgroup of our own.
class MachineMemoryTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = std::filesystem::path(folder_.path()) / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  uint64_t Limit() {
    return base::MemoryLimitBytes(folder_.path() + "/proc", folder_.path() + "/cgroup", 1'000'000);
  }
  TempFolder folder_;
};

TEST_F(MachineMemoryTest, WithoutGroupsItIsTheMachines) { EXPECT_EQ(Limit(), 1'000'000U); }

TEST_F(MachineMemoryTest, TheSmallestLimitOfANestedGroupCounts) {
  Write("proc/self/cgroup", "0::/outer/inner\n");
  Write("cgroup/outer/inner/memory.max", "max\n");
  EXPECT_EQ(Limit(), 1'000'000U);
  Write("cgroup/outer/memory.max", "5000\n");
  EXPECT_EQ(Limit(), 5000U);
  Write("cgroup/outer/inner/memory.max", "7000\n");
  EXPECT_EQ(Limit(), 5000U);
  Write("cgroup/memory.max", "400\n");
  EXPECT_EQ(Limit(), 400U);
}

TEST_F(MachineMemoryTest, GroupsOfTheFirstVersionCountToo) {
  Write("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:blkio,memory:/job\n1:name=systemd:/y\n");
  Write("cgroup/memory/job/memory.limit_in_bytes", "3000\n");
  Write("cgroup/memory/x/memory.limit_in_bytes", "1\n");
  EXPECT_EQ(Limit(), 3000U);
}

}  // namespace
}  // namespace spillway::test
