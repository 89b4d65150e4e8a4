// Memory in a few sizes that is kept when it is given back, so that the same work again takes none
// from the system. For one thread at a time.
//
// Instead of std::pmr::unsynchronized_pool_resource, which in libstdc++ 12 reads through a null
// pointer after an allocation of its own has failed.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <memory_resource>
#include <new>

namespace spillway::blockfile {

class Recycler final : public std::pmr::memory_resource {
 public:
  Recycler() = default;
  // All that it gave out has been given back.
  ~Recycler() override {
    for (size_t i = 0; i < kept_.size(); ++i) {
      while (Kept* const block = kept_[i]) {
        kept_[i] = block->next;
        ::operator delete(block);
      }
    }
  }
  Recycler(const Recycler&) = delete;
  Recycler& operator=(const Recycler&) = delete;

 private:
  struct Kept {
    Kept* next;
  };
  static constexpr size_t kLeast = 32;
  static constexpr size_t kSizes = 9;  // 32 to 8192, each twice the one before

  static size_t IndexOf(size_t bytes) {
    return bytes <= kLeast ? 0 : static_cast<size_t>(std::bit_width((bytes - 1) / kLeast));
  }

  void* do_allocate(size_t bytes, size_t alignment) override {
    if (alignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
      return ::operator new (bytes, std::align_val_t{alignment});
    }
    const size_t index = IndexOf(bytes);
    if (index >= kSizes) {
      return ::operator new(bytes);
    }
    if (Kept* const block = kept_[index]) {
      kept_[index] = block->next;
      return block;
    }
    return ::operator new(kLeast << index);
  }
  void do_deallocate(void* memory, size_t bytes, size_t alignment) override {
    if (alignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
      return ::operator delete (memory, std::align_val_t{alignment});
    }
    const size_t index = IndexOf(bytes);
    if (index >= kSizes) {
      return ::operator delete(memory);
    }
    kept_[index] = new (memory) Kept{kept_[index]};
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::array<Kept*, kSizes> kept_{};
};

}  // namespace spillway::blockfile
