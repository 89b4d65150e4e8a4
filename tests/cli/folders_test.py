#!/usr/bin/env python3
"""folders_test.py build-folder: import and export."""
import os
import subprocess

from harness import DAMAGE, FAILED, OUTPUT_CLOSED, PATIENCE, TestCase, main

FILES = {"a": b"1", "empty": b"", "sub/b": b"22", "sub/sub/large": b"large " * 100000, "space and \u00e4": b"333"}


class Folders(TestCase):
    def make_folder(self):
        for name, content in FILES.items():
            path = self.path("in") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def read_folder(self, name):
        root = self.path(name)
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    def test_there_and_back(self):
        self.make_folder()
        os.symlink("a", self.path("in") / "link")
        count = sum(map(len, FILES.values()))
        self.expect("import", "f", "in", code=FAILED, err=b"spillway: open f: No such file or directory (SPW_NOT_FOUND)\n"
                                                          b"import --create makes the file.\n")
        self.assertEqual(self.json("import", "--create", "f", "in"),
                         {"blocks": len(FILES), "bytes": count, "equal": 0, "ignored": 1})
        self.assertEqual(self.names(), sorted(name.encode() for name in FILES))
        self.assertEqual(self.json("import", "f", "in")["equal"], len(FILES))
        self.expect("export", "f", "out", out=f"5 blocks (585.9 KiB ({count:,} bytes)) moved, 0 equal already\n".encode())
        self.assertEqual(self.read_folder("out"), FILES)
        self.assertEqual(self.json("export", "f", "out"), {"blocks": 0, "bytes": 0, "equal": 5, "ignored": 0})

    def test_prefix(self):
        self.make_folder()
        self.json("import", "--create", "f", "in", "--prefix", "p/")
        self.assertEqual(self.names(), sorted(b"p/" + name.encode() for name in FILES))
        self.json("export", "f", "out", "--prefix", "p/sub/")
        self.assertEqual(self.read_folder("out"), {"b": b"22", "sub/large": FILES["sub/sub/large"]})

    def test_odd_names(self):
        blocks = {b"a\nb": b"1", b"\xff": b"2", b"..": b"3", b"/abs": b"4", b"x/../y": b"5", b"a//b": b"6", b"end/": b"7"}
        self.make(blocks)
        self.assertEqual(self.json("export", "f", "out")["blocks"], len(blocks))
        self.assertEqual(sorted(os.listdir(self.folder)), ["f", "out"])
        self.json("import", "--create", "g", "out")
        self.assertEqual(self.names("g"), sorted(blocks))
        for name, content in blocks.items():
            self.expect("get", "g", "--", name, out=content)

    def test_failures(self):
        self.make({b"a": b"1"})
        error = self.json_error("import", "f", "nothing", code=FAILED)
        self.assertEqual((error["code"], error["transfer"]),
                         ("SPW_NOT_FOUND", {"blocks": 0, "bytes": 0, "equal": 0, "ignored": 0}))

    def test_of_a_damaged_file(self):
        self.make({b"a": b"good", b"b": b"damaged " * 10000, b"c": b"good, too"})
        raw = bytearray(self.path().read_bytes())
        raw[raw.index(b"damaged damaged ") + 9] ^= 1
        self.path().write_bytes(raw)
        error = self.json_error("export", "f", "out", code=DAMAGE)
        self.assertEqual((error["code"], error["transfer"]["blocks"]), ("SPW_CORRUPT", 2))
        self.assertEqual(self.read_folder("out"), {"a": b"good", "c": b"good, too"})

    def test_without_a_reader(self):
        self.make({b"a": b"1"})
        reader, writer = os.pipe()
        os.close(reader)
        process = self.start("export", "f", "out", stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)
        _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, err), (OUTPUT_CLOSED, b""))
        self.assertEqual(self.read_folder("out"), {"a": b"1"})


main()
