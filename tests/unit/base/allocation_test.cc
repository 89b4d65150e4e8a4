#include "internal/base/allocation.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace spillway::base {
namespace {

// Keeps the compiler from leaving out a pair of new and delete, as it may.
int* NewInt(int value) {
  int* volatile made = new int(value);
  return made;
}

bool NewThrows() {
  try {
    const std::unique_ptr<int> block(NewInt(1));
    return false;
  } catch (const std::bad_alloc&) {
    return true;
  }
}

TEST(Allocation, HookFailsTheNthOnly) {
  FailAllocationAfter(2, false);
  void* const first = Allocate(10);
  void* const second = Allocate(10);
  void* const third = Allocate(10);
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(second, nullptr);
  EXPECT_NE(third, nullptr);
  Free(first);
  Free(third);
}

TEST(Allocation, HookFailsForEverUntilItIsEnded) {
  FailAllocationAfter(1, true);
  const bool first = NewThrows();
  const bool second = NewThrows();
  void* const grown = Reallocate(nullptr, 100);
  FailAllocationAfter(0, false);
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_EQ(grown, nullptr);
  EXPECT_FALSE(NewThrows());
}

TEST(Allocation, CountsEveryRequest) {
  const int64_t before = AllocationCount();
  Free(Allocate(1));
  Free(AllocateAligned(1, 64));
  delete NewInt(1);
  EXPECT_EQ(AllocationCount(), before + 3);
}

// mimalloc 2.0.9 gave 256 bytes at an alignment of 256 an address that was a multiple of 128 only.
TEST(Allocation, SmallBlocksWithLargeAlignmentAreAligned) {
  for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
    for (const size_t bytes : {size_t{1}, alignment / 2, alignment, 3 * alignment}) {
      std::vector<void*> blocks;
      for (int i = 0; i < 10; i++) {
        blocks.push_back(AllocateAligned(bytes, alignment));
        ASSERT_NE(blocks.back(), nullptr);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks.back()) % alignment, 0u) << bytes;
        EXPECT_GE(UsableSize(blocks.back()), bytes);
      }
      for (void* const block : blocks) {
        Free(block);
      }
    }
  }
}

TEST(Allocation, ZeroBytesAndNullAreOrdinary) {
  void* const empty = Allocate(0);
  EXPECT_NE(empty, nullptr);
  Free(empty);
  Free(nullptr);
  EXPECT_EQ(UsableSize(nullptr), 0u);
}

TEST(Allocation, ReallocateKeepsBytes) {
  auto* block = static_cast<uint8_t*>(Reallocate(nullptr, 3));
  block[2] = 7;
  block = static_cast<uint8_t*>(Reallocate(block, 100000));
  EXPECT_EQ(block[2], 7);
  EXPECT_GE(UsableSize(block), 100000u);
  Free(block);
}

TEST(Allocation, EveryFormOfOperatorNewComesFromHere) {
  struct alignas(512) Wide {
    char bytes[512];
  };
  const int64_t before = AllocationCount();
  Wide* volatile wide = new Wide;
  Wide* volatile wides = new Wide[3];
  int* volatile plain = new (std::nothrow) int;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(wide) % 512, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(wides) % 512, 0u);
  EXPECT_EQ(AllocationCount(), before + 3);
  delete wide;
  delete[] wides;
  delete plain;
}

}  // namespace
}  // namespace spillway::base
