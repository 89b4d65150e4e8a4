//! The library that is loaded.

use std::ffi::CStr;
use std::mem::size_of;

use spillway_sys as sys;

use crate::error::Error;

/// The version of the library that is loaded, such as `"0.1.0"`.
pub fn version() -> &'static str {
    // Safe: the text is static.
    unsafe { CStr::from_ptr(sys::spw_version().cast()) }.to_str().unwrap_or("")
}

/// Major and minor version of the library that is loaded.
pub fn abi_version() -> (u16, u16) {
    let version = unsafe { sys::spw_abi_version() };
    ((version >> 16) as u16, version as u16)
}

/// Stores that were dropped without a successful close since the library was loaded: a number to
/// watch in tests.
pub fn leaked_stores() -> u64 {
    unsafe { sys::spw_leaked_stores() }
}

/// Block files that were dropped without a successful close since the library was loaded: a number
/// to watch in tests.
pub fn leaked_files() -> u64 {
    unsafe { sys::spw_leaked_files() }
}

/// A library that is older than this binding, or of another major version, is refused when a store
/// or block file is opened, before it can misread a struct. Structs only ever grow.
pub(crate) fn check_library() -> Result<(), Error> {
    let (major, minor) = abi_version();
    let same = i32::from(major) == sys::SPW_VERSION_MAJOR;
    if !same || i32::from(minor) < sys::SPW_VERSION_MINOR {
        let message = "the libspillway that is loaded does not fit this binding; see version()";
        return Err(Error::binding(sys::SPW_UNSUPPORTED, message));
    }
    let sizes = [
        (sys::SPW_STRUCT_SCAN, size_of::<sys::spw_scan>()),
        (sys::SPW_STRUCT_VIEW, size_of::<sys::spw_view>()),
        (sys::SPW_STRUCT_STATS, size_of::<sys::spw_stats>()),
        (sys::SPW_STRUCT_STREAM_STATS, size_of::<sys::spw_stream_stats>()),
        (sys::SPW_STRUCT_EVENT, size_of::<sys::spw_event>()),
        (sys::SPW_STRUCT_BLOCK_INFO, size_of::<sys::spw_block_info>()),
        (sys::SPW_STRUCT_BLOCK_VIEW, size_of::<sys::spw_block_view>()),
        (sys::SPW_STRUCT_BLOCK_STATS, size_of::<sys::spw_block_stats>()),
        (sys::SPW_STRUCT_VERIFY_SUMMARY, size_of::<sys::spw_verify_summary>()),
        (sys::SPW_STRUCT_PROBLEM, size_of::<sys::spw_problem>()),
        (sys::SPW_STRUCT_VACUUM_RESULT, size_of::<sys::spw_vacuum_result>()),
        (sys::SPW_STRUCT_TRANSFER, size_of::<sys::spw_transfer>()),
        (sys::SPW_STRUCT_RECORD_SUMMARY, size_of::<sys::spw_record_summary>()),
        (sys::SPW_STRUCT_RECORD_RANGE, size_of::<sys::spw_record_range>()),
    ];
    if sizes.iter().any(|(id, size)| unsafe { sys::spw_sizeof(*id) } < *size) {
        let message = "the structs of the libspillway that is loaded do not fit this binding";
        return Err(Error::binding(sys::SPW_UNSUPPORTED, message));
    }
    Ok(())
}
