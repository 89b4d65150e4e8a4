// Memory that is kept: never given out twice, and given out again.
#include "internal/blockfile/recycler.h"

#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "internal/base/allocation.h"
#include "internal/base/status.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using blockfile::Recycler;

TEST(RecyclerTest, NobodyWritesToWhatSomebodyElseHas) {
  struct Given {
    uint8_t* bytes;
    size_t size;
    size_t alignment;
    uint8_t value;
  };
  Prng random(TestSeed("NobodyWritesToWhatSomebodyElseHas", 1));
  Recycler memory;
  std::vector<Given> given;
  for (int i = 0; i < 20'000; ++i) {
    if (given.size() < 100 && random.OneIn(2)) {
      const size_t sizes[] = {1, 8, 31, 32, 33, 64, 65, 4096, 8192, 8193, 100'000};
      const size_t size = random.OneIn(2) ? sizes[random.Below(11)] : random.Between(1, 9000);
      const size_t alignment = random.OneIn(9) ? 64 : size_t{1} << random.Below(5);
      auto* const bytes = static_cast<uint8_t*>(memory.allocate(size, alignment));
      ASSERT_EQ(reinterpret_cast<uintptr_t>(bytes) % alignment, 0u);
      given.push_back({bytes, size, alignment, static_cast<uint8_t>(i)});
      std::memset(bytes, static_cast<uint8_t>(i), size);
    } else if (!given.empty()) {
      std::swap(given[random.Below(given.size())], given.back());
      const Given& back = given.back();
      for (size_t at = 0; at < back.size; ++at) {
        ASSERT_EQ(back.bytes[at], back.value);
      }
      memory.deallocate(back.bytes, back.size, back.alignment);
      given.pop_back();
    }
  }
  for (const Given& each : given) {
    memory.deallocate(each.bytes, each.size, each.alignment);
  }
}

TEST(RecyclerTest, TheSameWorkAgainAsksForNoMemoryAndAFailureIsPassedOn) {
  Recycler memory;
  memory.deallocate(memory.allocate(100, 8), 100, 8);
  const int64_t before = base::AllocationCount();
  for (int i = 0; i < 10; ++i) {
    memory.deallocate(memory.allocate(120, 8), 120, 8);
  }
  EXPECT_EQ(base::AllocationCount(), before);
  base::FailAllocationAfter(1, false);
  const base::Code failed = base::CatchToStatus([&] {
                              memory.deallocate(memory.allocate(1000, 8), 1000, 8);
                              return base::Status();
                            }).code();
  base::FailAllocationAfter(0, false);
  EXPECT_EQ(failed, base::Code::kNoMemory);
  memory.deallocate(memory.allocate(1000, 8), 1000, 8);
}

}  // namespace
}  // namespace spillway::test
