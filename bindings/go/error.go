package spillway

import (
	"context"
	"io/fs"
	"syscall"
)

// Code says what kind of failure an [Error] is. It is an error itself, to be asked for with
// errors.Is(err, spillway.ErrBusy). Values never change; treat an unknown one as ErrInternal.
type Code int32

// The codes.
const (
	ErrInvalidArgument Code = spwInvalidArgument // the caller's mistake; nothing happened
	ErrInvalidState    Code = spwInvalidState    // right call, wrong time: in use, committed, no view
	ErrNoMemory        Code = spwNoMemory        // an allocation failed; nothing happened
	ErrNotFound        Code = spwNotFound        // no such stream, record, block, store
	ErrAlreadyExists   Code = spwAlreadyExists   // there is one, and the call asked for a new one
	ErrBusy            Code = spwBusy            // another handle or process has it open
	ErrWouldBlock      Code = spwWouldBlock      // it would have to wait, and was told not to
	ErrTimeout         Code = spwTimeout         // the given time is over
	ErrCancelled       Code = spwCancelled       // its context was cancelled
	ErrClosed          Code = spwClosed          // the store, file, cursor, ... is closed
	ErrFull            Code = spwFull            // the disk or its quota is full; try again later
	ErrTooBig          Code = spwTooBig          // larger than a limit or than the caller's buffer
	ErrReadOnly        Code = spwReadOnly        // it was opened so, or its disk is so
	ErrIO              Code = spwIO              // the operating system failed; see Error.OS
	ErrCorrupt         Code = spwCorrupt         // bytes on disk are damaged; nothing was repaired
	ErrTrimmed         Code = spwTrimmed         // the records were dropped on request (Clear, Trim)
	ErrUnsupported     Code = spwUnsupported     // unknown option, flag or feature of this version
	ErrForked          Code = spwForked          // called in a forked child of the opening process
	ErrInternal        Code = spwInternal        // a defect of the library
	ErrConflict        Code = spwConflict        // a block was changed by somebody else
)

// Error gives the code's name in the C interface, such as "SPW_BUSY".
func (c Code) Error() string { return rawStatusName(c) }

// Error is what every failing call of this package returns. It is never changed once made; those of
// expected outcomes (would block, timeout, closed, busy) are shared, so leave the fields alone.
type Error struct {
	Code   Code
	OS     int32  // errno of the failed system call, also for errors.Is; 0: none
	Detail int32  // extended result code of SQLite; 0: none
	Index  int64  // index in the caller's batch or list that is to blame; -1: none
	Msg    string // what happened and where; empty where the code says it all

	context, cause error // of the context that ended the call
}

// Error gives the code's name, the message and, for a call that its context ended, why.
func (e *Error) Error() string {
	text := "spillway: " + e.Code.Error()
	if e.Msg != "" {
		text += ": " + e.Msg
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Is reports whether target is the error's Code, or what package io/fs has for it: fs.ErrNotExist,
// fs.ErrExist, fs.ErrClosed, fs.ErrInvalid.
func (e *Error) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e.Code == ErrNotFound
	case fs.ErrExist:
		return e.Code == ErrAlreadyExists
	case fs.ErrClosed:
		return e.Code == ErrClosed
	case fs.ErrInvalid:
		return e.Code == ErrInvalidArgument
	}
	code, ok := target.(Code)
	return ok && code == e.Code
}

// Unwrap gives the context's error and its cause, and the errno as a syscall.Errno, where there
// are.
func (e *Error) Unwrap() []error {
	var wrapped []error
	if e.context != nil {
		wrapped = append(wrapped, e.context)
	}
	if e.cause != nil && e.cause != e.context {
		wrapped = append(wrapped, e.cause)
	}
	if e.OS != 0 {
		wrapped = append(wrapped, syscall.Errno(e.OS))
	}
	return wrapped
}

// Expected outcomes cost no allocation.
var (
	errWouldBlock = &Error{Code: ErrWouldBlock, Index: -1}
	errTimeout    = &Error{Code: ErrTimeout, Index: -1}
	errCancelled  = &Error{Code: ErrCancelled, Index: -1}
	errBusy       = &Error{Code: ErrBusy, Index: -1}
	errClosed     = &Error{Code: ErrClosed, Index: -1}
	errNoMemory   = &Error{Code: ErrNoMemory, Index: -1}
	errInUse      = &Error{Code: ErrInvalidState, Index: -1, Msg: "another goroutine uses it now"}
	errCommitted  = &Error{Code: ErrInvalidState, Index: -1, Msg: "it was committed"}
)

// sharedError gives the object of a code whose errors are static in the library too, or nil.
func sharedError(code Code) *Error {
	switch code {
	case ErrWouldBlock:
		return errWouldBlock
	case ErrTimeout:
		return errTimeout
	case ErrCancelled:
		return errCancelled
	case ErrBusy:
		return errBusy
	case ErrClosed:
		return errClosed
	case ErrNoMemory:
		return errNoMemory
	}
	return nil
}

func invalid(message string) error {
	return &Error{Code: ErrInvalidArgument, Index: -1, Msg: message}
}

// contextError is the error of a call that its context ended: the same code whether a timer, a
// cancel or the library noticed first.
func contextError(reason, cause error) error {
	code := ErrCancelled
	if reason == context.DeadlineExceeded {
		code = ErrTimeout
	}
	return &Error{Code: code, Index: -1, context: reason, cause: cause}
}

// doneError is nil as long as the context is not done.
func doneError(ctx context.Context) error {
	if reason := ctx.Err(); reason != nil {
		return contextError(reason, context.Cause(ctx))
	}
	return nil
}

// codeOf gives the code of an error of this package, spwOK for nil.
func codeOf(err error) Code {
	if err == nil {
		return spwOK
	}
	if e, ok := err.(*Error); ok {
		return e.Code
	}
	return ErrInternal
}
