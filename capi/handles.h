// What stands behind the opaque types of spillway.h, and how a pointer from outside is checked.
// Those of block files: file_handles.h.
//
// The first word of every object is its kind; free clears it. That finds NULL, the wrong kind and,
// as far as memory allows, use after free. A child holds a counted reference on what it needs of
// its parent, so any order of frees is legal.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "internal/base/fork_guard.h"
#include "internal/base/operation.h"
#include "internal/base/options.h"
#include "internal/hybrid/cursor.h"
#include "internal/hybrid/store.h"
#include "spillway.h"

namespace spillway::capi {

enum class Kind : uint32_t {
  kFreed = 0,
  kError = 0x45575053,  // "SPWE", and so on
  kOptions = 0x4f575053,
  kOp = 0x50575053,
  kStore = 0x53575053,
  kCursor = 0x43575053,
  kBatch = 0x42575053,
  kFile = 0x46575053,
  kTxn = 0x54575053,
  kBlob = 0x62575053,
  kList = 0x4c575053,
  kReport = 0x52575053,
  kReader = 0x72575053,
  kWriter = 0x77575053,
};

}  // namespace spillway::capi

struct spw_options {
  static constexpr auto kKind = spillway::capi::Kind::kOptions;
  static constexpr const char* kName = "spw_options";
  spillway::capi::Kind kind = kKind;
  spillway::base::Options options;
};

struct spw_op {
  static constexpr auto kKind = spillway::capi::Kind::kOp;
  static constexpr const char* kName = "spw_op";
  spillway::capi::Kind kind = kKind;
  std::shared_ptr<spillway::base::Operation> operation;  // also held by the call that runs with it
};

struct spw_store {
  static constexpr auto kKind = spillway::capi::Kind::kStore;
  static constexpr const char* kName = "spw_store";
  spillway::capi::Kind kind = kKind;
  std::shared_ptr<spillway::hybrid::Store> store;
};

struct spw_cursor {
  static constexpr auto kKind = spillway::capi::Kind::kCursor;
  static constexpr const char* kName = "spw_cursor";
  spillway::capi::Kind kind = kKind;
  std::atomic<bool> busy{false};  // a call runs
  spillway::hybrid::Cursor cursor;

  explicit spw_cursor(spillway::hybrid::Cursor&& made) : cursor(std::move(made)) {}
};

struct spw_batch {
  static constexpr auto kKind = spillway::capi::Kind::kBatch;
  static constexpr const char* kName = "spw_batch";
  spillway::capi::Kind kind = kKind;
  std::shared_ptr<const void> owner;  // keeps what the view points to
  std::shared_ptr<const spillway::base::ForkGuard> fork_guard;
  spw_view view = {};
};

namespace spillway::capi {

template <class Handle>
base::Status CheckHandle(const Handle* handle) {
  if (handle == nullptr || handle->kind != Handle::kKind) {
    return base::InvalidArgument(std::string(handle == nullptr ? "NULL" : "something else") +
                                 " given for an " + Handle::kName);
  }
  return {};
}

inline base::Status CheckPointer(const void* pointer, const char* name) {
  return pointer != nullptr ? base::Status()
                            : base::InvalidArgument(std::string(name) + " is NULL");
}

// A call on a store, or on a cursor of it: from the right process, and while the store is open.
class StoreCall {
 public:
  StoreCall() = default;
  ~StoreCall() {
    if (store_ != nullptr) {
      store_->gate().Leave();
    }
  }
  StoreCall(const StoreCall&) = delete;
  StoreCall& operator=(const StoreCall&) = delete;

  base::Status Enter(const spw_store* handle) {
    SPW_RETURN_IF_ERROR(CheckHandle(handle));
    return Enter(handle->store.get());
  }
  base::Status Enter(hybrid::Store* store) {
    if (store->fork_guard()->forked()) {
      return base::Status(base::Code::kForked);
    }
    if (!store->gate().Enter()) {
      return base::Status(base::Code::kClosed);
    }
    store_ = store;
    return {};
  }
  hybrid::Store* operator->() const { return store_; }

 private:
  hybrid::Store* store_ = nullptr;
};

// The use of an spw_op by one call, which keeps it alive. NULL is fine.
class OpCall {
 public:
  OpCall() = default;
  ~OpCall() {
    if (operation_ != nullptr) {
      operation_->Unclaim();
    }
  }
  OpCall(const OpCall&) = delete;
  OpCall& operator=(const OpCall&) = delete;

  base::Status Enter(const spw_op* op) {
    if (op == nullptr) {
      return {};
    }
    SPW_RETURN_IF_ERROR(CheckHandle(op));
    // All of the handle that is needed, before Claim: from then on it may be freed.
    std::shared_ptr<base::Operation> operation = op->operation;
    if (!operation->Claim()) {
      return {base::Code::kInvalidState, "the spw_op is in use by another call"};
    }
    operation_ = std::move(operation);
    operation_->SetProgress(0, 0);
    return {};
  }
  base::Operation* get() const { return operation_.get(); }

 private:
  std::shared_ptr<base::Operation> operation_;
};

}  // namespace spillway::capi
