#!/usr/bin/env python3
"""Compares what the bindings declare with what spillway.h and spillway_file.h declare, as clang reads them.

For C# and Rust: every function with its return type, parameter names and types; every struct with
its fields, their types, offsets and size; every constant with its value and width. Go takes all of
that from the header itself, through cgo, so there it is looked at whether anything is left out.
Prints what differs and exits 1; then proves on changed copies that it would have.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = ROOT / "capi" / "spillway.h"
HEADERS = [HEADER] + [ROOT / "capi" / name for name in ("spillway_stats.h", "spillway_file.h")]  # the first includes the others
RUST = ROOT / "bindings/rust/spillway-sys/src"
CSHARP = ROOT / "bindings/csharp/src/Spillway/Native"
GO = ROOT / "bindings/go"

# Functions that a binding need not call: no use, or none yet, in that language.
UNUSED_IN_GO = {"spw_store_addv", "spw_options_set_bytes", "spw_error_code"}
# Constants that Go code has no use for.
UNUSED_IN_GO_CONSTANTS = {"SPW_VERSION", "SPW_STRUCT_SLICE", "SPW_OK", "SPW_VIEW_DENSE"}
# Structs of which Go reads or writes every field.
GO_STRUCTS = ("spw_stats", "spw_stream_stats", "spw_event", "spw_view", "spw_scan", "spw_block_info",
              "spw_block_view", "spw_block_stats", "spw_verify_summary", "spw_problem", "spw_vacuum_result",
              "spw_transfer")

WIDTH = {"i32": 4, "u32": 4, "i64": 8, "u64": 8, "usize": 8, "pointer": 8, "u8": 1}


# ---- The header -----------------------------------------------------------------------------------
# A type is a name (i32, u64, usize, u8, char, void, spw_view) with one "*" or "const*" per pointer,
# innermost first: `const spw_scan *` is "spw_scan const*", `spw_error **` is "spw_error * *". An array
# of them has its length behind it: `uint8_t tag[4]` is "u8[4]".

C_NAMES = {"int32_t": "i32", "uint32_t": "u32", "int64_t": "i64", "uint64_t": "u64", "size_t": "usize",
           "uint8_t": "u8", "spw_status": "i32"}


def c_type(text):
    if array := re.fullmatch(r"(.*\S)\s*(\[\d+\])", text.strip()):
        return c_type(array[1]) + array[2]
    base, stars = re.fullmatch(r"(.*?)\s*((?:\*\s*)*)", text.strip()).groups()
    const = base.startswith("const ")
    base = base.removeprefix("const ")
    levels = ["*"] * stars.count("*")
    if const and levels:
        levels[0] = "const*"
    return " ".join([C_NAMES.get(base, base)] + levels)


class Header:
    def __init__(self, clang):
        self.functions, self.structs = {}, {}
        tree = json.loads(subprocess.run(
            [clang, "-Xclang", "-ast-dump=json", "-fsyntax-only", "-std=c99", "-x", "c", HEADER],
            check=True, capture_output=True, text=True).stdout)
        for node in tree["inner"]:
            name, inner = node.get("name", ""), node.get("inner", [])
            if not name.startswith("spw_"):
                continue
            if node["kind"] == "FunctionDecl":
                returns = c_type(node["type"]["qualType"].split("(")[0])
                self.functions[name] = (returns, [(p["name"], c_type(p["type"]["qualType"]))
                                                  for p in inner if p["kind"] == "ParmVarDecl"])
            elif node["kind"] == "RecordDecl" and inner:
                self.structs[name] = [(f["name"], c_type(f["type"]["qualType"])) for f in inner]
        self.opaque = {match for header in HEADERS
                       for match in re.findall(r"typedef struct (spw_\w+) \1;", header.read_text())}
        self.measure(clang)

    def measure(self, clang):
        """Sizes, offsets, and values of constants, from a program that clang builds."""
        macros = subprocess.run([clang, "-E", "-dM", "-x", "c", HEADER], check=True,
                                capture_output=True, text=True).stdout
        names = sorted(set(re.findall(r"#define (SPW_\w+) ", macros)) - {"SPW_VERSION"})
        lines = ['#include "spillway.h"', "#include <stdio.h>",
                 '#define KIND(x) _Generic((x), int: "i32", unsigned: "u32", long: "i64", unsigned long: "u64")',
                 "int main(void) {"]
        lines += [f'  printf("constant {n} %s %llu\\n", KIND({n}), (unsigned long long){n});' for n in names]
        for struct, fields in self.structs.items():
            lines.append(f'  printf("size {struct} x %zu\\n", sizeof({struct}));')
            lines += [f'  printf("offset {struct} {f} %zu\\n", offsetof({struct}, {f}));' for f, _ in fields]
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "measure.c")
            source.write_text("\n".join(lines + ["}"]))
            subprocess.run([clang, "-std=c11", "-I", HEADER.parent, source, "-o", f"{folder}/measure"], check=True)
            rows = subprocess.run([f"{folder}/measure"], check=True, capture_output=True, text=True).stdout
        self.constants, self.sizes, self.offsets = {}, {}, {}
        for what, name, detail, value in (row.split() for row in rows.splitlines()):
            if what == "constant":
                bits = 32 if detail in ("i32", "u32") else 64
                value = int(value) & ((1 << bits) - 1)
                self.constants[name] = (detail, value - (1 << bits) if detail[0] == "i" and value >> (bits - 1) else value)
            elif what == "size":
                self.sizes[name] = int(value)
            else:
                self.offsets[name, detail] = int(value)


# ---- What a binding declares, in the header's terms --------------------------------------------------

class Declared:
    """functions, structs, constants as Header has them; `spell` turns a header's type into how this
    language writes it."""

    def __init__(self, spell):
        self.functions, self.structs, self.constants = {}, {}, {}
        self.spell = spell


def rust(texts):
    found = Declared(lambda type_, header: type_)
    names = {"spw_status": "i32", "c_char": "char", "c_void": "void"}

    def type_of(text):
        if array := re.fullmatch(r"\[(.*); (\d+)\]", text.strip()):
            return f"{type_of(array[1])}[{array[2]}]"
        levels = re.findall(r"\*(const|mut)\s", text)
        base = re.sub(r"\*(const|mut)\s+", "", text).strip()
        # Rust writes the outermost pointer first.
        return " ".join([names.get(base, base)] + ["const*" if l == "const" else "*" for l in reversed(levels)])

    text = re.sub(r"//.*", "", texts["functions.rs"] + texts["file_functions.rs"])
    for name, parameters, returns in re.findall(r"pub fn (\w+)\(([^)]*)\)(?:\s*->\s*([^;]+))?;", text):
        pairs = [p.split(":", 1) for p in parameters.split(",") if p.strip()]
        found.functions[name] = (type_of(returns) if returns else "void",
                                 [(p.strip(), type_of(t)) for p, t in pairs])
    text = re.sub(r"//.*", "", texts["structs.rs"])
    for name, body in re.findall(r"#\[repr\(C\)\][^{;]*?pub struct (\w+) \{([^}]*)\}", text):
        found.structs[name] = [(f, type_of(t)) for f, t in re.findall(r"pub (\w+):\s*([^,]+),", body)]
    for name, kind, value in re.findall(r"pub const (SPW_\w+): (\w+) = (-?\d+);", texts["constants.rs"]):
        found.constants[name] = (kind, int(value))
    return found


def csharp_spell(type_, header):
    """C# has no const, and an opaque struct is an nint."""
    if array := re.fullmatch(r"(.*)(\[\d+\])", type_):
        return csharp_spell(array[1], header) + array[2]
    base, *levels = type_.split()
    if base in header.opaque:
        base, levels = "nint", levels[1:]
    base = {"i32": "int", "u32": "uint", "i64": "long", "u64": "ulong", "usize": "nuint", "u8": "byte",
            "char": "byte"}.get(base, base)
    return base + "*" * len(levels)


def csharp(texts):
    found = Declared(csharp_spell)
    text = re.sub(r"//.*", "", texts["NativeMethods.cs"])
    for returns, name, parameters in re.findall(
            r"\[LibraryImport\([^\]]*\)\]\s*internal static (?:unsafe )?partial ([\w*]+) (\w+)\(([^)]*)\);", text):
        pairs = [p.strip().rsplit(" ", 1) for p in parameters.split(",") if p.strip()]
        found.functions[name] = (returns, [(p.lstrip("@"), t.strip()) for t, p in pairs])
    text = re.sub(r"//.*", "", texts["Structs.cs"])
    for name, body in re.findall(
            r"\[StructLayout\(LayoutKind\.Sequential\)\]\s*internal (?:unsafe )?struct (\w+)\s*\{([^}]*)\}", text):
        found.structs[name] = [(f, t + array) for t, f, array in re.findall(
            r"internal (?:fixed )?([\w*]+) @?(\w+)(\[\d+\])?;", body)]
    kinds = {"int": "i32", "uint": "u32", "long": "i64", "ulong": "u64"}
    for kind, name, value in re.findall(r"internal const (\w+) (SPW_\w+) = (-?\w+);", texts["Constants.cs"]):
        if kind in kinds:
            found.constants[name] = (kinds[kind], int(value.rstrip("UuLl"), 0))
    return found


# ---- Comparing ---------------------------------------------------------------------------------------

def size_of(type_):
    """Of a scalar, or of one of an array."""
    type_ = type_.split("[")[0]
    if "*" in type_ or type_ == "nint":
        return WIDTH["pointer"]
    other = {"int": "i32", "uint": "u32", "long": "i64", "ulong": "u64", "nuint": "usize", "byte": "u8"}
    return WIDTH[other.get(type_, type_)]


def layout(fields):
    """Offsets and size as C, repr(C) and LayoutKind.Sequential lay out scalars."""
    at, offsets, widest = 0, {}, 1
    for name, type_ in fields:
        size = size_of(type_)
        at = -(-at // size) * size
        offsets[name] = at
        at, widest = at + size * int("".join(re.findall(r"\[(\d+)\]", type_)) or 1), max(widest, size)
    return offsets, -(-at // widest) * widest


def differences(header, declared):
    for name in sorted(header.functions.keys() ^ declared.functions.keys()):
        yield f"{name}: declared {'only there' if name in declared.functions else 'only in spillway.h'}"
    for name in sorted(header.functions.keys() & declared.functions.keys()):
        returns, parameters = header.functions[name]
        wanted = (declared.spell(returns, header), [(p, declared.spell(t, header)) for p, t in parameters])
        if declared.functions[name] != wanted:
            yield f"{name}: is {declared.functions[name]}, must be {wanted}"
    for name in sorted(header.structs.keys() ^ declared.structs.keys()):
        yield f"struct {name}: declared {'only there' if name in declared.structs else 'only in spillway.h'}"
    for name in sorted(header.structs.keys() & declared.structs.keys()):
        wanted = [(f, declared.spell(t, header)) for f, t in header.structs[name]]
        if declared.structs[name] != wanted:
            yield f"struct {name}: is {declared.structs[name]}, must be {wanted}"
            continue
        offsets, size = layout(declared.structs[name])
        if size != header.sizes[name]:
            yield f"struct {name}: {size} bytes, must be {header.sizes[name]}"
        for field, offset in offsets.items():
            if offset != header.offsets[name, field]:
                yield f"{name}.{field}: at {offset}, must be at {header.offsets[name, field]}"
    for name in sorted(header.constants.keys() | declared.constants.keys()):
        is_, wanted = declared.constants.get(name), header.constants.get(name)
        if is_ != wanted:
            yield f"{name}: is {is_}, must be {wanted}"


def left_out_in_go(header, text):
    text = re.sub(r"//.*", "", text)
    for name in sorted(header.functions.keys() - UNUSED_IN_GO):
        if not re.search(rf"\bC\.{name}\(", text):
            yield f"{name}: never called"
    for name in sorted(header.constants.keys() - UNUSED_IN_GO_CONSTANTS):
        if not re.search(rf"\bC\.{name}\b", text):
            yield f"{name}: not there"
    for struct in GO_STRUCTS:
        for field, _ in header.structs[struct]:
            if field not in ("flags", "reserved", "struct_size") and not re.search(rf"[.\b]_?{field}\b", text):
                yield f"{struct}.{field}: not there"
    for name in sorted(set(re.findall(r"\bC\.(spw_\w+)\(", text)) - header.functions.keys()):
        yield f"{name}: not in spillway.h"


# ---- Proof that it sees ------------------------------------------------------------------------------

RUST_CHANGES = [
    ("functions.rs", r"(fn spw_cursor_seek\([^;]*seq: )u64", r"\1u32"),
    ("functions.rs", r"(fn spw_cursor_seek\([^;]*?),\s*seq: u64", r"\1"),
    ("functions.rs", r"(fn spw_store_add\([^;]*data: )\*const", r"\1*mut"),
    ("functions.rs", r"pub fn spw_batch_view\([^;]*;", ""),
    ("structs.rs", r"pub begin: (.*)\n(\s*)pub end: ", r"pub end: \1\n\2pub begin: "),
    ("structs.rs", r"pub stream: u32,\n\s*pub reserved: u32", r"pub stream: u64"),
    ("constants.rs", r"SPW_OPT_TIMES: i32 = 10", "SPW_OPT_TIMES: i32 = 11"),
    ("constants.rs", r"pub const SPW_FLUSH_DEVICE.*", ""),
    ("file_functions.rs", r"(fn spw_block_put\([^;]*?),\s*expected: u64", r"\1"),
    ("structs.rs", r"pub tag: \[u8; 128\]", "pub tag: [u8; 120]"),
    ("constants.rs", r"pub const SPW_CONFLICT.*", ""),
]
CSHARP_CHANGES = [
    ("NativeMethods.cs", r"(spw_cursor_seek\([^;]*)ulong seq", r"\1uint seq"),
    ("NativeMethods.cs", r"(spw_cursor_seek\([^;]*),\s*ulong seq", r"\1"),
    ("NativeMethods.cs", r"\[LibraryImport[^;]* spw_batch_view\([^;]*;", ""),
    ("Structs.cs", r"internal ([\w*]+) begin;(\s*)internal ([\w*]+) end;", r"internal \1 end;\2internal \3 begin;"),
    ("Structs.cs", r"internal uint stream;\s*internal uint reserved;", "internal ulong stream;"),
    ("Constants.cs", r"SPW_OPT_TIMES = 10;", "SPW_OPT_TIMES = 11;"),
    ("Constants.cs", r"internal const \w+ SPW_FLUSH_DEVICE.*", ""),
    ("NativeMethods.cs", r"(spw_block_put\([^;]*)ulong expected", r"\1long expected"),
    ("Structs.cs", r"fixed byte tag\[128\]", "fixed byte tag[120]"),
]
GO_CHANGES = [("cgo.go", r"C\.spw_cursor_seek\(", "C.spw_cursor_sought("), ("cgo.go", r"C\.SPW_OPT_TIMES\b", "10"),
              ("cgo_stats.go", r"\.records_cleared\b", ".records_live"),
              ("cgo_file.go", r"C\.spw_block_patch\(", "C.spw_block_patched("),
              ("cgo_transfer.go", r"\.bytes_held\b", ".bytes_free"),
              ("cgo_transfer.go", r"C\.spw_reader_seek\(", "C.spw_reader_sought("),
              ("cgo_transfer.go", r"\.bytes_needed\b", ".bytes_moved")]


def blind_spots(check, texts, changes):
    for file, pattern, replacement in changes:
        changed = dict(texts)
        changed[file], count = re.subn(pattern, replacement, texts[file], count=1)
        if count == 0:
            yield f"nothing to change any more: {pattern}"
        elif not list(check(changed)):
            yield f"a wrong declaration passes: {pattern}"


def main():
    header = Header(sys.argv[1] if len(sys.argv) > 1 else "clang")
    assert len(header.functions) > 70 and len(header.structs) > 10 and len(header.constants) > 90
    bindings = [
        (RUST, lambda texts: differences(header, rust(texts)), RUST_CHANGES),
        (CSHARP, lambda texts: differences(header, csharp(texts)), CSHARP_CHANGES),
        (GO, lambda texts: left_out_in_go(header, "\n".join(texts.values())), GO_CHANGES),
    ]
    failed = False
    for folder, check, changes in bindings:
        texts = {file: (folder / file).read_text() for file in sorted({change[0] for change in changes})}
        faults = list(check(texts)) or list(blind_spots(check, texts, changes))
        failed = failed or bool(faults)
        for fault in faults:
            print(f"{folder.relative_to(ROOT)}: {fault}")
    print(f"{len(header.functions)} functions, {len(header.structs)} structs, {len(header.constants)} constants: "
          + ("not the same everywhere" if failed else "the same in C, C#, Go and Rust"))
    sys.exit(1 if failed else 0)


main()
