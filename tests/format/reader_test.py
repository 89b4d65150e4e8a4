"""reader_test.py format_files FOLDER: reader.py beside the library. Exits 1 and says what differs."""
import concurrent.futures
import contextlib
import io
import pathlib
import random
import subprocess
import sys

import reader

LINES_MAX = 198


def run(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def listing(path):
    """What reader.py prints, and what it says about damage."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            reader.main(path)
        except SystemExit as end:
            return out.getvalue(), "" if end.code == 0 else end.code
    raise AssertionError("it did not exit")


def check_hashes(files):
    lines = run(files, "hashes").splitlines()
    for line in lines:
        size, seed, want, text = line.split()
        data = b"" if text == "-" else bytes.fromhex(text)
        assert reader.xxh3(int(seed), data) == int(want), f"XXH3 of {size} bytes"
    return len(lines)


def check_file(path):
    want = path.with_suffix(".list").read_text()
    found, problems = listing(path)
    assert problems == "" and found == want, f"{path.name}: {problems or 'other blocks'}"
    line = random.Random(path.name).choice([line for line in want.splitlines() if line[0] != "0"])
    name = eval(f"b'{line.split(maxsplit=3)[3]}'")
    got = subprocess.run([sys.executable, reader.__file__, path, name], check=True, capture_output=True).stdout
    assert reader.hashlib.sha256(got).hexdigest() == line.split()[2], f"{path.name}: {name} extracted"


def damage(path, number):
    """A copy with one place damaged: a bit, a page of zeros, another page, the end cut off."""
    dice = random.Random(f"{path.name} {number}")
    data = bytearray(path.read_bytes())
    headers = [at for at in range(0, len(data), 512) if data[at:at + 8] == b"SPWFRAME"]
    at = dice.choice([dice.randrange(16384), dice.randrange(len(data)), dice.choice(headers or [0]) + dice.randrange(120)])
    kind = dice.randrange(8)
    if kind == 0:
        data[at // 512 * 512:at // 512 * 512 + 512] = bytes(512)
    elif kind == 1:
        source = dice.randrange(len(data)) // 512 * 512
        data[at // 512 * 512:at // 512 * 512 + 512] = data[source:source + 512]
    elif kind == 2:
        del data[max(at, 20000):]
    else:
        data[at] ^= 1 << dice.randrange(8)
    copy = path.with_name(f"{path.stem}.{number}.damaged")
    copy.write_bytes(data)
    return copy


def compare_damaged(path, theirs):
    lists = theirs.splitlines(keepends=True)[1:]
    found, problems = listing(path)
    if lists and not lists[0].startswith(("-", *"0123456789")):  # refused
        known = "registry" in lists[0]  # where a page of it is damaged, the library lists nothing
        assert problems or known, f"{path.name}: the library says {lists[0]} and the reader nothing"
        return "refused"
    # A frame behind a mark that says closed was acknowledged by nobody; the library looks for it all the same.
    both = ["".join(line for line in each if not line.endswith(" behind the end\n"))
            for each in (found.splitlines(keepends=True), lists)]
    assert both[0] == both[1], f"{path.name}: {problems or 'other blocks than the library'}"
    return "damaged" if problems else "whole"


def main(files, folder):
    print(f"{check_hashes(files)} hashes")
    lines = len(pathlib.Path(reader.__file__).read_text().splitlines())
    assert lines <= LINES_MAX, f"the reader has {lines} lines; the format was to be simple enough for {LINES_MAX}"
    run(files, "make", folder)
    paths = sorted(pathlib.Path(folder).glob("*.blocks"))
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        list(pool.map(check_file, paths))
        print(f"{len(paths)} files")
        copies = [damage(path, number) for path in paths for number in range(8)]
        theirs = run(files, "list", *copies).split("= ")[1:]
        outcomes = list(pool.map(compare_damaged, copies, theirs))
    counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    print(f"{len(copies)} damaged copies: {counts}")
    assert len(paths) == 18 and len(counts) == 3, "something was not tried"


main(*sys.argv[1:3])
