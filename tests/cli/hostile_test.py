#!/usr/bin/env python3
"""hostile_test.py build-folder: what is no block file, and block files that were damaged: each verb says
so, ends with the code that it promises, and changes nothing."""
import os
import re

from harness import DAMAGE, FAILED, OK, TestCase, main

READING = [["ls", "f"], ["get", "f", "a"], ["info", "f"], ["verify", "f"], ["copy", "f", "g"], ["export", "f", "x"],
           ["streams", "f"], ["stats", "f"], ["trim", "f", "s", "--before-seq", "1"], ["clear", "f", "s"]]
WRITING = [["put", "f", "a"], ["put", "--create", "f", "a"], ["rm", "f", "a"], ["mv", "f", "a", "b"], ["vacuum", "f"],
           ["import", "f", "."]]
HINT = b"spillway verify tells what is damaged.\n"


class NoBlockFile(TestCase):
    def refused(self, verbs, code, message, status):
        """The same message and the same code from each of them, as text and as JSON."""
        for arguments in verbs:
            hint = HINT if code == DAMAGE and arguments[0] != "verify" else b""
            done = self.run_tool(*arguments)
            self.assertEqual((done.returncode, done.stdout), (code, b""), arguments)
            self.assertEqual(done.stderr, b"spillway: " + message + b" (" + status + b")\n" + hint, arguments)
            error = self.json_error(*arguments, code=code)
            self.assertEqual((error["code"].encode(), error["message"].encode()), (status, message), arguments)

    def test_other_files(self):
        for content in [b"", b"text\n", b"\0" * 100000, os.urandom(100000), b"SPWBLOCK", b"SPWBLOCK" * 10000]:
            self.path().write_bytes(content)
            done = self.run_tool("ls", "f")
            self.assertRegex(done.stderr, rb"^spillway: f: [^\n]+ \(SPW_CORRUPT\)\n" + HINT + rb"$")
            message = re.match(rb"spillway: (.*) \(SPW_CORRUPT\)\n", done.stderr)[1]
            self.refused(READING + WRITING, DAMAGE, message, b"SPW_CORRUPT")
            self.assertEqual(self.path().read_bytes(), content)
        self.assertEqual(os.listdir(self.folder), ["f"])

    def test_what_is_no_file(self):
        os.mkdir(self.path())
        self.refused(READING, FAILED, b"open f: not a regular file", b"SPW_IO")
        self.refused(WRITING, FAILED, b"open f: Is a directory", b"SPW_IO")
        os.rmdir(self.path())
        os.mkfifo(self.path())  # must not wait for somebody at its other end
        self.refused(READING + WRITING, FAILED, b"open f: not a regular file", b"SPW_IO")
        os.unlink(self.path())
        os.symlink("/dev/zero", self.path())
        self.refused(READING + WRITING, FAILED, b"open f: Too many levels of symbolic links", b"SPW_IO")

    def test_links_are_not_followed(self):
        self.make({b"a": b"1"}, name="real")
        os.symlink("real", self.path())
        self.refused(READING + WRITING, FAILED, b"open f: Too many levels of symbolic links", b"SPW_IO")
        self.expect("get", "real", "a", out=b"1")

    def test_nothing_there(self):
        self.refused(READING, FAILED, b"open f: No such file or directory", b"SPW_NOT_FOUND")
        self.refused([[verb, "no/f", *rest] for verb, _, *rest in READING], FAILED,
                     b"open no/f: No such file or directory", b"SPW_NOT_FOUND")
        self.assertEqual(os.listdir(self.folder), [])

    def test_where_nothing_can_be_made(self):
        done = self.run_tool("put", "--create", "/proc/f", "a")
        self.assertEqual((done.returncode, done.stdout), (FAILED, b""))
        self.assertRegex(done.stderr, rb"^spillway: [^\n]*/proc/f[^\n]* \(SPW_\w+\)\n$")
        self.make({b"a": b"1"})
        self.expect("get", "f", "a", "-o", "/proc/out", code=FAILED,
                    err=b"spillway: cannot write /proc/out: No such file or directory (SPW_NOT_FOUND)\n")
        self.expect("put", "f", "b", ".", code=FAILED, 
                    err=b"spillway: b: cannot read .: Is a directory (SPW_IO)\nNothing was stored; the block is as it was.\n")


class Damaged(TestCase):
    BLOCKS = {b"block/%03d" % i: b"payload %03d " % i * 500 for i in range(300)}

    def setUp(self):
        super().setUp()
        self.make(self.BLOCKS)
        self.good = self.path().read_bytes()

    def test_payload(self):
        victim = b"block/123"
        raw = bytearray(self.good)
        at = raw.index(self.BLOCKS[victim])
        raw[at + 2000] ^= 1
        self.path().write_bytes(raw)
        report = self.json("verify", "f", code=DAMAGE)
        self.assertEqual({key: report[key] for key in ["blocks", "blocks_good", "blocks_damaged", "problems_found"]},
                         {"blocks": 300, "blocks_good": 299, "blocks_damaged": 1, "problems_found": 1})
        problem, = report["problems"]
        self.assertEqual((problem["code"], problem["name"]), ("SPW_CORRUPT", "block/123"))
        self.assertIn(str(at), problem["message"])
        bytes_read = f"{report['bytes_read'] / (1 << 20):.1f} MiB ({report['bytes_read']:,} bytes)"
        self.expect("verify", "f", code=DAMAGE, out=(
            f"damaged: block block/123\n         {problem['message']}\n299 blocks good, 1 damaged, {bytes_read} read\n"
            "Nothing was changed. Every good block can be written out:\n  spillway export f FOLDER\n").encode())
        self.assertEqual(self.json("verify", "--quick", "f")["problems"], [])
        self.expect("get", "f", victim, code=DAMAGE,
                    err=f"spillway: block/123: {problem['message']} (SPW_CORRUPT)\n".encode() + HINT)
        self.expect("get", "f", victim, "-o", "out", code=DAMAGE,
                    err=f"spillway: block/123: {problem['message']} (SPW_CORRUPT)\n".encode() + HINT)
        self.assertEqual(os.listdir(self.folder), ["f"])
        for name in [b"block/000", b"block/122", b"block/124", b"block/299"]:
            self.expect("get", "f", name, out=self.BLOCKS[name])
        self.assertEqual(self.names(), sorted(self.BLOCKS))
        self.assertEqual(self.path().read_bytes(), bytes(raw))

    def test_registry(self):
        raw = bytearray(self.good)
        for place in re.finditer(rb"block/123", self.good):  # in the registry, and in what it was before
            raw[place.start()] ^= 1
        self.path().write_bytes(raw)
        report = self.json("verify", "f", code=DAMAGE)
        self.assertGreaterEqual(report["problems_found"], 1)
        self.assertIn(None, [problem["name"] for problem in report["problems"]])
        done = self.run_tool("verify", "f")
        self.assertEqual((done.returncode, done.stderr), (DAMAGE, b""))
        self.assertRegex(done.stdout, rb"^damaged: structure of the file\n         [^\n]+\n")
        self.assertIn(b"Some damage is not that of one block: there may be blocks that could not be counted.\n",
                      done.stdout)
        self.assertEqual(self.json_error("get", "f", "block/123", code=DAMAGE)["code"], "SPW_CORRUPT")
        self.assertEqual(self.path().read_bytes(), bytes(raw))

    def test_superblocks(self):
        raw = bytearray(self.good)
        for unit in [0, 4096]:
            raw[unit + 56] ^= 1
        self.path().write_bytes(raw)
        for arguments in READING + WRITING:
            error = self.json_error(*arguments, code=DAMAGE)
            self.assertEqual(error["code"], "SPW_CORRUPT", arguments)
        self.assertEqual(self.path().read_bytes(), bytes(raw))

    def test_every_length(self):
        """Cut off anywhere: never a crash, never bytes that are not those of the block."""
        for length in [1, 4095, 4096, 8192, 16383, 16384, 20480, len(self.good) // 2, len(self.good) - 4096,
                       len(self.good) - 1]:
            self.path().write_bytes(self.good[:length])
            codes = {self.run_tool(*arguments).returncode for arguments in READING[:4]}
            self.assertLessEqual(codes, {OK, FAILED, DAMAGE}, length)
            self.assertEqual(self.run_tool("verify", "f").returncode, DAMAGE, length)
            self.assertEqual(self.path().read_bytes(), self.good[:length])

    def test_flips_all_over(self):
        """A bit in each of many places: what is read is right or is refused, and verify sees what a get sees."""
        step = len(self.good) // 97
        for at in range(11, len(self.good), step):
            raw = bytearray(self.good)
            raw[at] ^= 16
            self.path().write_bytes(raw)
            verified = self.run_tool("verify", "f")
            self.assertIn(verified.returncode, [OK, DAMAGE], at)
            name = b"block/%03d" % (at % 300)
            got = self.run_tool("get", "f", name)
            self.assertIn((got.returncode, got.stdout), [(OK, self.BLOCKS[name]), (DAMAGE, b"")], at)
            self.assertTrue(got.returncode == OK or verified.returncode == DAMAGE, at)


main()
