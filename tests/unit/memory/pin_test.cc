// Segments that leave their stream while somebody still looks at them.
#include "gtest/gtest.h"
#include "internal/memory/budget.h"
#include "internal/memory/reservation.h"

namespace spillway::test {
namespace {

using memory::Account;
using memory::Arena;
using memory::Charge;
using memory::kArenaBytesMin;
using memory::MemoryBudget;

// The spiller finds a segment clean, and counts it after it let go of the stream; if it was evicted
// or cleared in between, its bytes were taken off a second time, below nothing.
TEST(PinTest, RecountThatComesAfterAPinChangesNothing) {
  for (const bool clean_before : {false, true}) {
    MemoryBudget budget({});
    Account account;
    memory::Grant grant;
    const memory::Request request{
        .account = &account, .arenas = 1, .arena_bytes = kArenaBytesMin, .records = 5};
    ASSERT_EQ(budget.Try(request, false, &grant), MemoryBudget::Attempt::kGranted);
    memory::Reservation reservation(&budget);
    ASSERT_TRUE(reservation.Fill(request, &grant, {}).ok());
    Arena arena = reservation.Take(kArenaBytesMin);
    reservation.RecordsUsed();
    Charge charge;
    charge.account = &account;
    charge.bytes = arena.bytes();
    if (clean_before) {
      charge.clean = true;
      budget.Recount(&charge);
    }
    charge.clean = !clean_before;
    budget.Pin(&charge, 5, 5);
    budget.Recount(&charge);
    EXPECT_EQ(budget.total().bytes_unspilled(), 0u);
    EXPECT_EQ(budget.total().bytes_resident(), 0u);
    EXPECT_EQ(account.bytes_unspilled(), 0u);
    EXPECT_EQ(budget.bytes_pinned(), kArenaBytesMin);
    budget.ReleasePinned(std::move(arena));
    EXPECT_EQ(budget.bytes_pinned(), 0u);
  }
}

}  // namespace
}  // namespace spillway::test
