//! Finds libspillway and says so to cargo. Looked at in this order, never on a network:
//!
//! 1. the folder in the environment's `SPW_LIB_DIR`;
//! 2. in Spillway's own source tree: its release build, so that `cargo test` needs no setting;
//! 3. what the pkg-config program knows as `spillway`;
//! 4. the linker's own folders: plain `-lspillway`.
//!
//! `SPW_STATIC=1` links the archive instead of the shared library. `SPW_INCLUDE_DIR` is only passed
//! on, for crates with C code of their own.
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What was found; a folder that is not known is one the compiler and the linker know.
#[derive(Default)]
struct Found {
    lib_dir: Option<PathBuf>,
    include_dir: Option<PathBuf>,
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_static = variable("SPW_STATIC").map_or(false, |value| value != "0");
    let found = from_environment()
        .or_else(from_own_tree)
        .or_else(|| from_pkg_config(is_static))
        .unwrap_or_default();
    match &found.lib_dir {
        Some(dir) if is_static => {
            println!("cargo:rerun-if-changed={}", dir.join("libspillway.a").display());
            search(dir);
        }
        Some(dir) => search(&copy_for_cargo(dir)),
        None => {}
    }
    link(is_static);
    if let Some(dir) = variable("SPW_INCLUDE_DIR").map(PathBuf::from).or(found.include_dir) {
        println!("cargo:include={}", dir.display());
    }
    if let Some(dir) = found.lib_dir {
        println!("cargo:lib={}", dir.display());
    }
}

/// A variable of the environment; cargo runs this again when it changes. Empty is unset.
fn variable(name: &str) -> Option<OsString> {
    println!("cargo:rerun-if-env-changed={}", name);
    env::var_os(name).filter(|value| !value.is_empty())
}

fn search(dir: &Path) {
    println!("cargo:rustc-link-search=native={}", dir.display());
}

fn link(is_static: bool) {
    if !is_static {
        println!("cargo:rustc-link-lib=dylib=spillway");
        return;
    }
    // Not bundled: the archive stays where it is, instead of being copied into every rlib.
    println!("cargo:rustc-link-lib=static:-bundle=spillway");
    for library in ["pthread", "dl", "m"] {
        println!("cargo:rustc-link-lib={}", library);
    }
}

fn from_environment() -> Option<Found> {
    let lib_dir = PathBuf::from(variable("SPW_LIB_DIR")?);
    assert!(lib_dir.is_dir(), "SPW_LIB_DIR: there is no folder {}", lib_dir.display());
    Some(Found { lib_dir: Some(lib_dir), include_dir: None })
}

fn from_own_tree() -> Option<Found> {
    let root =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?).join("../../..").canonicalize().ok()?;
    let (header, lib_dir) = (root.join("capi/spillway.h"), root.join("build/release/capi"));
    if !header.exists() {
        return None;
    }
    let library = lib_dir.join("libspillway.so");
    println!("cargo:rerun-if-changed={}", library.display()); // also when it comes to be
    if !library.exists() {
        return None;
    }
    Some(Found { lib_dir: Some(lib_dir), include_dir: Some(root.join("capi")) })
}

fn from_pkg_config(is_static: bool) -> Option<Found> {
    for name in ["PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR"] {
        variable(name);
    }
    let program = variable("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into());
    let ask = |what: &str| {
        let mut command = Command::new(&program);
        // Also folders that the linker knows: they are where the archive is.
        command.env("PKG_CONFIG_ALLOW_SYSTEM_LIBS", "1").env("PKG_CONFIG_ALLOW_SYSTEM_CFLAGS", "1");
        let output = command.args([what, "spillway"]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then_some(text)
    };
    let folder = |what: &str, flag: &str| {
        ask(what).and_then(|text| Some(PathBuf::from(text.trim().strip_prefix(flag)?)))
    };
    let lib_dir = folder("--libs-only-L", "-L");
    if lib_dir.is_none() && is_static {
        println!("cargo:warning=pkg-config does not know spillway; set SPW_LIB_DIR");
    }
    Some(Found { lib_dir: Some(lib_dir?), include_dir: folder("--cflags-only-I", "-I") })
}

/// Copies the shared library to this build's own folder. Cargo lets programs that it runs (`cargo
/// run`, `cargo test`) find libraries there, but not in folders outside of the target folder.
fn copy_for_cargo(lib_dir: &Path) -> PathBuf {
    let library = lib_dir.join("libspillway.so");
    println!("cargo:rerun-if-changed={}", library.display());
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    match copy_with_soname(lib_dir, &library, &out) {
        Ok(()) => out,
        // Linking may still work, or fails with the linker's own words.
        Err(error) => {
            println!("cargo:warning={}: {}", library.display(), error);
            lib_dir.to_path_buf()
        }
    }
}

/// Under both names: the linker looks for libspillway.so, the loader for the soname it finds
/// inside, which is the one with a single number.
fn copy_with_soname(lib_dir: &Path, library: &Path, out: &Path) -> std::io::Result<()> {
    replace(library, &out.join("libspillway.so"))?;
    for entry in fs::read_dir(lib_dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("libspillway.so."));
        if number.map_or(false, |number| number.bytes().all(|digit| digit.is_ascii_digit())) {
            replace(&entry.path(), &out.join(&name))?;
        }
    }
    Ok(())
}

/// A new file, never new bytes in the old one: a program that runs may have that mapped.
fn replace(from: &Path, to: &Path) -> std::io::Result<()> {
    let fresh = to.with_extension("new");
    fs::copy(from, &fresh)?;
    fs::rename(&fresh, to)
}
