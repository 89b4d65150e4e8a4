// Images beside one string of bytes.
#include "internal/blockfile/image.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/block_model.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using blockfile::AsBytes;
using blockfile::Image;
using blockfile::PieceStore;

constexpr uint64_t kPage = 512;

uint64_t Give(Image* image, PieceStore* store, uint64_t pages) {
  while (image->pieces_missing(pages) > 0) {
    image->AddPiece(store->Take());
  }
  return image->GiveOut(pages);
}

TEST(ImageTest, ReadsWhatWasWrittenAlsoAcrossPieces) {
  Prng random(TestSeed("ReadsWhatWasWrittenAlsoAcrossPieces", 1));
  const auto store = std::make_shared<PieceStore>();
  for (int round = 0; round < 3; ++round) {  // the later ones in used pieces
    Image image(kPage, store, 5);
    std::string naive;
    while (naive.size() < 4 * PieceStore::kPieceBytes) {
      const std::string bytes = RandomBytes(&random, random.Between(1, 600'000));
      const uint64_t pages = (bytes.size() + kPage - 1) / kPage;
      const uint64_t offset = Give(&image, store.get(), pages) * kPage;
      ASSERT_EQ(offset, naive.size());
      image.Write(offset, AsBytes(bytes));
      image.Zero(offset + bytes.size(), pages * kPage - bytes.size());
      naive += bytes;
      naive.resize(offset + pages * kPage);
    }
    for (int i = 0; i < 100; ++i) {
      const uint64_t from = random.Below(naive.size());
      std::string found(random.Below(naive.size() - from), '\0');
      image.Read(from, {reinterpret_cast<uint8_t*>(found.data()), found.size()});
      ASSERT_TRUE(found == naive.substr(from, found.size()));
      const blockfile::Bytes piece = image.Contiguous(from, naive.size() - from);
      ASSERT_GT(piece.size(), 0u);
      ASSERT_TRUE(blockfile::AsText(piece) == std::string_view(naive).substr(from, piece.size()));
    }
  }
}

TEST(ImageTest, WhatIsCutIsGivenOutAgain) {
  const auto store = std::make_shared<PieceStore>();
  Image image(kPage, store, 2);
  EXPECT_EQ(image.pieces_missing(0), 0u);
  EXPECT_EQ(image.pieces_missing(1), 1u);
  EXPECT_EQ(Give(&image, store.get(), 10), 0u);
  EXPECT_EQ(Give(&image, store.get(), 5), 10u);
  image.Cut(10);
  EXPECT_EQ(image.pages(), 10u);
  EXPECT_EQ(Give(&image, store.get(), 7), 10u);
  EXPECT_EQ(image.pieces_left(), 1u);
}

TEST(PieceStoreTest, GivesPiecesAgain) {
  PieceStore store;
  PieceStore::Piece piece = store.Take();
  const uint8_t* const where = piece.data();
  store.GiveBack(std::move(piece));
  EXPECT_EQ(store.Take().data(), where);
}

}  // namespace
}  // namespace spillway::test
