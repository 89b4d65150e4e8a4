#!/usr/bin/env python3
"""verbs_test.py build-folder: info, ls, get, put, rm, mv and verify do what they say, and say it byte
for byte; as JSON, too."""
import base64
import datetime
import json
import os

from harness import CONDITION, FAILED, OK, USAGE, Held, TestCase, in_process_that_ends, main

ODD = {b"a\nb": b"1", b"tab\tcr\r": b"2", b"back\\slash": b"3", b"\xff\xfe": b"4", b"\x1b[31m": b"5",
       "\u00e4\u20ac\U0001f600".encode(): b"6", b"\xc2\x85": b"7", b"\xed\xa0\x80": b"8", b"-0": b"9"}


class Put(TestCase):
    def test_of_a_file_and_of_standard_input(self):
        self.path("source").write_bytes(b"of a file")
        self.expect("put", "--create", "f", "one", "source", out=b"one: 9 bytes, version 1\n")
        self.expect("put", "f", "two", stdin=b"of a pipe", out=b"two: 9 bytes, version 2\n")
        self.expect("put", "f", "three", "-", stdin=b"", out=b"three: 0 bytes, version 3\n")
        self.expect("get", "f", "one", out=b"of a file")
        self.expect("get", "f", "two", out=b"of a pipe")
        self.expect("get", "f", "three", out=b"")
        self.assertEqual(self.names(), [b"one", b"three", b"two"])

    def test_creates_a_file_only_when_told_so(self):
        self.expect("put", "f", "a", stdin=b"x", code=FAILED,
                    err=b"spillway: open f: No such file or directory (SPW_NOT_FOUND)\nput --create makes the file.\n")
        self.assertFalse(self.path().exists())
        self.expect("put", "--create", "f", "a", "nothing", code=FAILED,
                    err=b"spillway: cannot read nothing: No such file or directory (SPW_NOT_FOUND)\n")
        self.assertFalse(self.path().exists())

    def test_conditions(self):
        self.make({b"a": b"old"})
        nothing = b"Nothing was stored; the block is as it was.\n"
        done = self.run_tool("put", "f", "a", "--if-absent", stdin=b"new")
        self.assertEqual((done.returncode, done.stdout), (CONDITION, b""))
        self.assertTrue(done.stderr.startswith(b"spillway: a: ") and done.stderr.endswith(nothing))
        done = self.run_tool("put", "f", "a", "--if-version", "9", stdin=b"new")
        self.assertEqual((done.returncode, done.stdout), (CONDITION, b""))
        self.expect("get", "f", "a", out=b"old")
        self.assertEqual(self.json_error("put", "f", "b", "--if-version", "1", code=FAILED)["code"], "SPW_NOT_FOUND")
        self.expect("put", "f", "a", "--if-version", "1", stdin=b"new", out=b"a: 3 bytes, version 2\n")
        self.expect("put", "f", "b", "--if-absent", stdin=b"B", out=b"b: 1 byte, version 3\n")
        self.assertEqual(self.json_error("put", "f", "a", "--if-version", "1", code=CONDITION)["code"], "SPW_CONFLICT")
        error = self.json_error("put", "f", "a", "--if-absent", code=CONDITION)
        self.assertEqual((error["code"], error["name"], error["stored"]), ("SPW_ALREADY_EXISTS", "a", False))

    def test_large_goes_in_and_out_in_pieces(self):
        large = os.urandom(1 << 20) * 40 + b"the end"
        self.path("large").write_bytes(large)
        self.assertEqual(self.json("put", "--create", "f", "large", "large"),
                         {"name": "large", "length": len(large), "version": 1})
        self.expect("get", "f", "large", out=large)
        self.expect("get", "f", "large", "-o", "back")
        self.assertEqual(self.path("back").read_bytes(), large)
        self.assertEqual(sorted(os.listdir(self.folder)), ["back", "f", "large"])
        self.expect("get", "f", "large", "--offset", "1M", "--length", "3M", out=large[1 << 20:4 << 20])

    def test_checksum_of_a_new_file(self):
        for kind in ["xxh3", "sha256"]:
            self.expect("put", "--create", kind, "a", "--checksum", kind, stdin=b"1", out=b"a: 1 byte, version 1\n")
            self.assertEqual(self.json("info", kind)["checksum"], kind)
        self.assertEqual(self.json("info", "xxh3")["checksum"], "xxh3")
        self.assertEqual(self.json_error("put", "--create", "xxh3", "a", "--checksum", "sha256", code=USAGE)["code"],
                         "SPW_INVALID_ARGUMENT")


class Get(TestCase):
    def test_ranges(self):
        self.make({b"a": b"0123456789"})
        for options, want in [([], b"0123456789"), (["--offset", "3"], b"3456789"), (["--length", "3"], b"012"),
                              (["--offset", "8", "--length", "5"], b"89"), (["--offset", "10"], b""),
                              (["--offset", "1T"], b""), (["--length", "0"], b"")]:
            self.expect("get", "f", "a", *options, out=want)

    def test_as_json(self):
        blocks = {str(size).encode(): os.urandom(size) for size in [0, 1, 2, 3, 4, 786431, 786432, 786433, 2000000]}
        self.make(blocks)
        for name, payload in blocks.items():
            document = self.json("get", "f", name)
            self.assertEqual(base64.b64decode(document.pop("data_base64"), validate=True), payload)
            self.assertEqual(document, {"name": name.decode(), "length": len(payload), "version": document["version"],
                                        "offset": 0, "bytes": len(payload)})
        document = self.json("get", "f", "4", "--offset", "1", "--length", "2", "-o", "out")
        self.assertEqual(self.path("out").read_bytes(), blocks[b"4"][1:3])
        self.assertEqual((document["offset"], document["bytes"], document["output"]), (1, 2, "out"))

    def test_output_is_whole_or_as_it_was(self):
        self.make({b"a": b"new"})
        self.path("out").write_bytes(b"old")
        self.expect("get", "f", "b", "-o", "out", code=FAILED, err=b"spillway: b: no such block (SPW_NOT_FOUND)\n")
        self.assertEqual(self.path("out").read_bytes(), b"old")
        os.symlink("out", self.path("link"))
        self.expect("get", "f", "a", "-o", "link")
        self.assertTrue(self.path("link").is_symlink())
        self.assertEqual(self.path("out").read_bytes(), b"new")
        self.expect("get", "f", "a", "-o", "/dev/null")
        self.expect("get", "f", "a", "-o", "none/out", code=FAILED,
                    err=b"spillway: cannot write none/out: No such file or directory (SPW_NOT_FOUND)\n")


class Ls(TestCase):
    def test_names(self):
        self.expect("put", "--create", "f", "z", out=b"z: 0 bytes, version 1\n")
        self.expect("rm", "f", "z", out=b"1 block removed\n")
        self.expect("ls", "f")
        self.expect("ls", "f", "--json")
        held = Held(self.path())
        held.put({b"b/2": b"", b"a": b"", b"b/1": b"", b"c": b""})
        held.close()
        self.expect("ls", "f", out=b"a\nb/1\nb/2\nc\n")
        self.expect("ls", "f", "b/", out=b"b/1\nb/2\n")
        self.expect("ls", "-0", "f", "b/", out=b"b/1\0b/2\0")
        self.expect("ls", "f", "nothing")

    def test_odd_names_are_escaped_or_as_they_are(self):
        self.make(ODD)
        self.assertEqual(self.names(), sorted(ODD))
        self.expect("ls", "f", out="\\x1b[31m\n-0\na\\nb\nback\\\\slash\ntab\\tcr\\r\n\\xc2\\x85\n\u00e4\u20ac\U0001f600\n"
                    "\\xed\\xa0\\x80\n\\xff\\xfe\n".encode())
        lines = [json.loads(line) for line in self.run_tool("ls", "--json", "f").stdout.splitlines()]
        self.assertEqual([bytes.fromhex(line["name_hex"]) if "name_hex" in line else line["name"].encode()
                          for line in lines], sorted(ODD))
        self.assertEqual([line["name"] for line in lines if "name_hex" in line], ["\\xed\\xa0\\x80", "\\xff\\xfe"])
        for name, payload in ODD.items():
            self.expect("get", "f", "--", name, out=payload)

    def test_long(self):
        self.make({b"a": b"12345", b"b": b"x" * 70000})
        lines = [json.loads(line) for line in self.run_tool("ls", "--json", "f").stdout.splitlines()]
        self.assertEqual([(line["name"], line["length"], line["tag_hex"]) for line in lines], [("a", 5, ""), ("b", 70000, "")])
        self.assertEqual(list(lines[0]), ["name", "length", "version", "created_ns", "modified_ns", "tag_hex"])
        want = "".join(f"{line['length']:12d} {line['version']:8d} {utc(line['modified_ns'])} {line['name']}\n" for line in lines)
        self.expect("ls", "-l", "f", out=want.encode())
        self.expect("ls", "-l", "-0", "f", out=want.replace("\n", "\0").encode())

    def test_names_that_look_like_arguments(self):
        names = [b"ls", b"get", b"[a,b]", b"[x]", b"{}", b"%%", b"a,b", b"a=b", b"--json", b"-h", b"'q'", b'"q"', b" "]
        self.make({name: b"of " + name for name in names})
        for name in names:
            self.expect("get", "f", "--", name, out=b"of " + name)
        self.expect("rm", "f", "--", *names, out=b"13 blocks removed\n")
        self.assertEqual(self.names(), [])


def utc(ns):
    return datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class RmAndMv(TestCase):
    def test_rm(self):
        self.make({b"a": b"", b"b": b"", b"c": b""})
        self.expect("rm", "f", "a", "no\n", "b", code=FAILED,
                    err=b"spillway: no\\n: no such block (SPW_NOT_FOUND)\n0 blocks removed.\n")
        self.assertEqual(self.names(), [b"a", b"b", b"c"])
        self.expect("rm", "f", "a", "b", out=b"2 blocks removed\n")
        self.assertEqual(self.json("rm", "f", "c"), {"removed": 1})
        self.assertEqual(self.json_error("rm", "f", "c", code=FAILED)["removed"], 0)
        self.assertEqual(self.names(), [])

    def test_rm_of_many(self):
        self.make({b"p/%05d" % i: b"x" for i in range(5000)} | {b"q": b"", b"o": b""})
        self.expect("rm", "f", "--prefix", "", code=USAGE,
                    err=b"spillway: rm: an empty prefix means all: say --all (SPW_INVALID_ARGUMENT)\n"
                    b"spillway rm --help tells how it is used.\n")
        self.expect("rm", "f", "o", "--prefix", "p/", out=b"5,001 blocks removed\n")
        self.assertEqual(self.names(), [b"q"])
        self.expect("rm", "f", "--all", out=b"1 block removed\n")
        self.expect("rm", "f", "--all", out=b"0 blocks removed\n")
        self.assertEqual(self.names(), [])

    def test_mv(self):
        self.make({b"a": b"A", b"b": b"B"})
        self.expect("mv", "f", "a", "c\n", out=b"a is now c\\n\n")
        self.expect("mv", "f", "c\n", "b", code=CONDITION,
                    err=b"spillway: b: there is a block of the new name (SPW_ALREADY_EXISTS)\n")
        self.expect("mv", "f", "a", "b", code=FAILED, err=b"spillway: a: no such block (SPW_NOT_FOUND)\n")
        self.assertEqual(self.json("mv", "f", "c\n", "b", "--replace"), {"from": {"name": "c\n"}, "to": {"name": "b"}})
        self.expect("get", "f", "b", out=b"A")
        self.assertEqual(self.names(), [b"b"])


class Info(TestCase):
    def test_says_the_same_both_ways(self):
        self.make({b"a": b"x" * 100000, b"b": b"", b"c": b"1"})
        info = self.json("info", "f")
        self.assertEqual((info["file"], info["blocks"], info["payload_bytes"], info["checksum"], info["journal_blocks"]),
                         ("f", 3, 100001, "xxh3", 0))
        self.assertEqual(info["file_bytes"], os.stat(self.path()).st_size)
        self.assertEqual(info["disk_bytes"], os.stat(self.path()).st_blocks * 512)
        self.assertEqual(info["file_bytes"], info["used_bytes"] + info["held_bytes"] + info["free_bytes"])
        self.assertGreaterEqual(info["used_bytes"], 100001)
        rows = [("payload", "payload_bytes"), ("file", "file_bytes"), ("on disk", "disk_bytes"), ("used", "used_bytes"),
                ("held", "held_bytes"), ("free", "free_bytes")]
        want = "f\n  blocks     3\n" + "".join(f"  {row:<10} {size(info[key])}\n" for row, key in rows)
        self.expect("info", "f", out=(want + "  checksum   xxh3\n  journal    nothing to replay\n").encode())

    def test_after_a_crash(self):
        self.make({})
        in_process_that_ends(lambda: (held := Held(self.path()), held.put({b"a": b"1", b"b": b"2"}), held.flush()))
        before = self.path().read_bytes()
        info = self.json("info", "f")
        self.assertEqual((info["blocks"], info["payload_bytes"]), (2, 2))
        self.assertEqual(self.names(), [b"a", b"b"])
        self.assertEqual(self.path().read_bytes(), before, "reading verbs write nothing")


def size(count):
    text, number = ("bytes", float(count))
    for unit in ["KiB", "MiB", "GiB"]:
        if number < 1024:
            break
        text, number = unit, number / 1024
    return f"{count} {text}" if text == "bytes" else f"{number:.1f} {text} ({count:,} bytes)"


class Verify(TestCase):
    def test_of_a_good_file(self):
        self.make({b"a": b"x" * 100000, b"b": b""})
        full, quick = self.json("verify", "f"), self.json("verify", "f", "--quick")
        self.assertEqual({key: full[key] for key in full if key != "bytes_read"},
                         {"file": "f", "full": True, "blocks": 2, "blocks_good": 2, "blocks_damaged": 0,
                          "problems_found": 0, "problems": []})
        self.assertEqual((quick["full"], quick["blocks"]), (False, 2))
        self.assertEqual(full["bytes_read"], quick["bytes_read"] + 100000)
        self.expect("verify", "f", out=f"no damage: 2 blocks good, {size(full['bytes_read'])} read\n".encode())
        self.expect("verify", "f", "--full", "--rate", "1T",
                    out=f"no damage: 2 blocks good, {size(full['bytes_read'])} read\n".encode())
        self.expect("verify", "f", "--quick",
                    out=f"no damage: 2 blocks good, {size(quick['bytes_read'])} read, structures only: "
                        "payload was not looked at\n".encode())


main()
