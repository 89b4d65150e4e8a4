// spw_op: cancel and progress of one running call.

#include "capi/guard.h"
#include "capi/handles.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Status;

extern "C" {

spw_status spw_op_new(spw_op** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    auto op = std::make_unique<spw_op>();
    op->operation = std::make_shared<spillway::base::Operation>();
    *out = op.release();
    return {};
  });
}

void spw_op_cancel(spw_op* op) {
  if (op != nullptr && op->kind == spw_op::kKind) {
    op->operation->Cancel();
  }
}

void spw_op_progress(const spw_op* op, uint64_t* done, uint64_t* total) {
  const bool valid = op != nullptr && op->kind == spw_op::kKind;
  if (done != nullptr) {
    *done = valid ? op->operation->done() : 0;
  }
  if (total != nullptr) {
    *total = valid ? op->operation->total() : 0;
  }
}

void spw_op_free(spw_op* op) {
  if (op != nullptr && op->kind == spw_op::kKind) {
    static_cast<void>(
        op->operation->claimed());  // a call that runs has read what it needs of the handle
    op->kind = Kind::kFreed;
    delete op;
  }
}

}  // extern "C"
