//! The C interface of Spillway as it is: names, types and constants of `capi/spillway.h` and
//! `capi/spillway_file.h`, whose comments are the contract. Most programs want the crate
//! `spillway`, which is safe.
//!
//! Everything here is declared by hand, so that nothing but the library is needed to build. The
//! tests compare the structs with what the library was built with.
//!
//! The build script finds the library (see the README) and tells crates that depend on this one
//! directly where its header and its library are: `DEP_SPILLWAY_INCLUDE`, `DEP_SPILLWAY_LIB`.
#![no_std]
#![allow(non_camel_case_types)]

mod constants;
mod file_functions;
mod functions;
mod structs;

pub use constants::*;
pub use file_functions::*;
pub use functions::*;
pub use structs::*;

/// C's `char`, as `std::os::raw::c_char`; core has it only from Rust 1.64 on.
#[cfg(any(
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "riscv64",
    target_arch = "s390x"
))]
pub type c_char = u8;
/// C's `char`, as `std::os::raw::c_char`; core has it only from Rust 1.64 on.
#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "riscv64",
    target_arch = "s390x"
)))]
pub type c_char = i8;

/// `SPW_OK`, or what went wrong. Treat an unknown one as `SPW_INTERNAL`.
pub type spw_status = i32;

macro_rules! opaque {
    ($($name:ident: $what:literal,)*) => {$(
        #[doc = $what]
        ///
        /// Only ever behind a pointer; neither `Send` nor `Sync`, for the header says which are.
        #[repr(C)]
        pub struct $name {
            _opaque: [u8; 0],
            _not_send: core::marker::PhantomData<(*mut u8, core::marker::PhantomPinned)>,
        }
    )*};
}

opaque! {
    spw_error: "An error; immutable, of no thread.",
    spw_options: "A bag of options.",
    spw_store: "A store.",
    spw_cursor: "A cursor over a snapshot.",
    spw_batch: "Records with a life of their own.",
    spw_op: "Cancels a call and tells its progress.",
    spw_file: "A block file.",
    spw_txn: "A transaction or snapshot of a block file.",
    spw_blob: "Bytes of a block, with a life of their own.",
    spw_list: "Blocks in the order of their names.",
    spw_report: "What a verification found.",
    spw_reader: "Reads a block piece by piece.",
    spw_writer: "Writes a block piece by piece.",
}
