// The bag of options: which keys there are, which values they take, and where they may stand.

#include "internal/base/options.h"

#include <gtest/gtest.h>

namespace spillway::test {
namespace {

using base::Code;
using base::Option;
using base::Options;

int32_t Key(Option option) { return static_cast<int32_t>(option); }

TEST(OptionsTest, ValuesOutOfRangeAndUnknownKeysAreRefusedAndChangeNothing) {
  Options options;
  EXPECT_TRUE(options.Set(Key(Option::kBudgetRecords), 5).ok());
  EXPECT_EQ(options.Set(Key(Option::kBudgetRecords), 0).code(), Code::kInvalidArgument);
  EXPECT_EQ(options.Set(Key(Option::kBudgetBytes), 0).code(), Code::kInvalidArgument);
  EXPECT_EQ(options.Set(Key(Option::kBudgetBytes), -2).code(), Code::kInvalidArgument);
  EXPECT_TRUE(options.Set(Key(Option::kBudgetBytes), INT64_MAX).ok());
  EXPECT_TRUE(options.Set(Key(Option::kBudgetBytes), base::kAuto).ok());
  EXPECT_EQ(options.Set(Key(Option::kHardPercent), 99).code(), Code::kInvalidArgument);
  EXPECT_EQ(options.Set(77, 1).code(), Code::kUnsupported);
  EXPECT_EQ(options.Get(Option::kBudgetRecords), 5);
  EXPECT_EQ(options.Get(77), std::nullopt);
}

TEST(OptionsTest, KeysThatDoNotBelongAreNamed) {
  Options options;
  EXPECT_TRUE(options.CheckKeys("a store", {}).ok());
  ASSERT_TRUE(options.Set(Key(Option::kOpen), 4).ok());
  ASSERT_TRUE(options.Set(Key(Option::kFileCacheBytes), 0).ok());
  EXPECT_TRUE(options.CheckKeys("a file", {Option::kFileCacheBytes, Option::kOpen}).ok());
  const base::Status status = options.CheckKeys("a store", {Option::kTimes, Option::kOpen});
  EXPECT_EQ(status.code(), Code::kUnsupported);
  EXPECT_EQ(status.message(), "option 104 does not apply to a store");
}

}  // namespace
}  // namespace spillway::test
