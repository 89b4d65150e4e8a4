#!/usr/bin/env python3
"""House rules that no compiler knows: layers, lengths, words. Prints file:line: what; exits 1 on any."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYERS = ["base", "io", "record", "memory", "blockfile", "cold", "hybrid"]
LINES_MAX = 500
CODE = {".h", ".hpp", ".cc", ".c", ".in", ".py", ".sh", ".go", ".rs", ".cs", ".cmake", ".map"}

# (where, what must not stand there, why). Searched line by line, comments included.
WORDS = [
    (r".*", r"\.\./shared\b", "path outside of the project"),
    (r".*", r"(?<![\w.$}/-])/(work|farm)(/|\b)", "path of one machine"),
    (r".*\.(h|cc|c|go|rs|cs|py|sh)$", r"\b(TODO|FIXME|XXX)\b(?!\(\w+: )", "write TODO(owner: condition)"),
    (r"(tests|bindings)/(?!bench/).*", r"\b(u|nano)?sleep(_for|_until)?\s*\(|\btime\.Sleep\b|thread::sleep|^\s*sleep\s+[0-9$]"
     r"|\bThread\.Sleep\b|\bTask\.Delay\b",
     "a test waits for a condition, not for time"),
    (r"(internal|capi)/(?!base/mutex).*", r"std::(shared_|timed_|recursive_)?mutex\b|std::condition_variable"
     r"|std::(lock_guard|unique_lock|scoped_lock)\b", "use base::Mutex, which the compiler checks"),
    (r"(internal|capi)/(?!base/status\.(h|cc)).*\.(h|cc)$", r"\bcatch\s*\(", "only base/status.h catches"),
    (r"(internal|capi)/(?!base/allocation\.cc).*", r"<mimalloc\.h>|\bmi_\w+\s*\(",
     "only base/allocation.cc knows the allocator"),
    (r"(examples/c|examples/cli|tests/capi)/.*", r'#\s*include\s+"(internal|capi)/', "users have spillway.h only"),
]


def own_files():
    listing = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True).stdout
    return sorted(name for name in listing.split("\0") if name and (ROOT / name).is_file())


def layer_of(name):
    match = re.match(r"internal/(\w+)/", name)
    if match:
        return LAYERS.index(match[1]) if match[1] in LAYERS else None
    return len(LAYERS) if name.startswith("capi/") else None


def layer_faults(name, lines):
    rank = layer_of(name)
    if re.match(r"internal/\w+/", name) and rank is None:
        yield 1, f"folder is not in the list of layers: {', '.join(LAYERS)}"
    if rank is None:
        return
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s+["<]((?:internal|capi)/.*|spillway\.h)[">]', line)
        if not match:
            continue
        target = len(LAYERS) if match[1] == "spillway.h" else layer_of(match[1])
        if target is None or target > rank:
            yield number, f"{match[1]} stands above: includes point down only"


def faults(name):
    try:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return
    if pathlib.PurePath(name).suffix in CODE and len(lines) > LINES_MAX:
        yield len(lines), f"longer than {LINES_MAX} lines"
    yield from layer_faults(name, lines)
    for where, what, why in WORDS:
        if name == "tests/lint/lint.py" or not re.fullmatch(where, name):
            continue
        for number, line in enumerate(lines, 1):
            if re.search(what, line):
                yield number, why


def main():
    found = [f"{name}:{number}: {why}" for name in own_files() for number, why in faults(name)]
    print("\n".join(found) if found else "lint: nothing found")
    sys.exit(1 if found else 0)


main()
