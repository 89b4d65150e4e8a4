#!/usr/bin/env python3
"""space_test.py build-folder: vacuum and copy."""
import os

from harness import CONDITION, DAMAGE, FAILED, OK, Held, TestCase, main


def payload(i):
    return (b"%07d " % i) * 8192


class Vacuum(TestCase):
    def setUp(self):
        super().setUp()
        self.make({b"%04d" % i: payload(i) for i in range(500)})
        held = Held(self.path())
        for i in range(500):
            if i % 10 != 9:
                held.delete(b"%04d" % i)
        held.close()

    def on_disk(self):
        return os.stat(self.path()).st_blocks * 512

    def check_blocks(self):
        self.assertEqual(self.names(), [b"%04d" % i for i in range(9, 500, 10)])
        for i in [9, 249, 499]:
            self.expect("get", "f", b"%04d" % i, out=payload(i))
        self.assertEqual(self.json("verify", "f")["blocks_good"], 50)

    def test_full(self):
        plan = self.json("vacuum", "--dry-run", "f")
        self.assertEqual(list(plan), ["plan"])
        self.check_blocks()
        before = self.on_disk()
        done = self.json("vacuum", "--full", "f")
        self.assertEqual(list(done), ["plan", "result"])
        self.assertTrue(done["result"]["done"])
        self.assertLess(self.on_disk(), before // 2)
        self.assertLess(self.on_disk(), 2 * 50 * 65536)
        self.assertEqual(done["result"]["bytes_file"], os.stat(self.path()).st_size)
        self.check_blocks()

    def test_says_what_it_needs_before_it_begins(self):
        done = self.run_tool("vacuum", "--full", "f")
        self.assertEqual((done.returncode, done.stderr), (OK, b""))
        self.assertRegex(done.stdout, rb"^needs up to [^\n]+ of free disk space while it runs\n"
                                      rb"a full one moves [^\n]+; on disk: [^\n]+, then about [^\n]+\n"
                                      rb"[^\n]+ moved; on disk: [^\n]+, now [^\n]+\n$")
        self.check_blocks()

    def test_in_steps(self):
        for _ in range(1000):
            if self.json("vacuum", "--max-bytes", "256K", "f")["result"]["done"]:
                break
            self.check_blocks()
        else:
            self.fail("it never ends")
        self.assertLess(self.on_disk(), 2 * 50 * 65536)
        self.check_blocks()


class Copy(TestCase):
    def test_copy(self):
        blocks = {b"a": b"1", b"b\n": os.urandom(300000), b"c": b""}
        self.make(blocks)
        before = self.path().read_bytes()
        self.expect("copy", "f", "g", out=b"3 blocks, 293.0 KiB (300,001 bytes), copied to g\n")
        self.assertEqual(self.path().read_bytes(), before)
        self.assertEqual(self.run_tool("ls", "--json", "g").stdout, self.run_tool("ls", "--json", "f").stdout)
        for name, content in blocks.items():
            self.expect("get", "g", name, out=content)
        self.assertEqual(self.json("copy", "f", "h"), {"copy": "h", "blocks": 3, "payload_bytes": 300001})
        copied = self.path("g").read_bytes()
        self.assertEqual(self.json_error("copy", "f", "g", code=CONDITION)["code"], "SPW_ALREADY_EXISTS")
        self.assertEqual(self.path("g").read_bytes(), copied)
        self.assertEqual(self.json_error("copy", "f", "no/g", code=FAILED)["code"], "SPW_NOT_FOUND")

    def test_of_a_damaged_file(self):
        self.make({b"a": b"good", b"b": b"damaged " * 10000})
        raw = bytearray(self.path().read_bytes())
        raw[raw.index(b"damaged damaged ") + 9] ^= 1
        self.path().write_bytes(raw)
        done = self.run_tool("copy", "f", "g")
        self.assertEqual((done.returncode, done.stdout), (DAMAGE, b""))
        self.assertTrue(done.stderr.endswith(
            b" (SPW_CORRUPT)\nThere is no copy; the file is as it was.\nspillway export writes every block that is good.\n"
            b"spillway verify tells what is damaged.\n"), done.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), ["f"])


main()
