#!/usr/bin/env python3
"""usage_test.py build-folder: help that teaches, numbers that are read as they are meant, and wrong usage that
changes nothing."""
import os

from harness import OK, USAGE, TestCase, library, main

VERBS = {"info": [], "ls": ["PREFIX"], "get": ["NAME"], "put": ["NAME", "SOURCE"], "rm": ["NAME"], "mv": ["FROM", "TO"],
         "verify": [], "vacuum": [], "copy": ["DEST"], "import": ["FOLDER"], "export": ["FOLDER"],
         "streams": [], "stats": [], "trim": ["STREAM"], "clear": ["STREAM"]}


class Help(TestCase):
    def test_of_all(self):
        done = self.run_tool("--help")
        self.assertEqual((done.returncode, done.stderr), (OK, b""))
        text = done.stdout.decode()
        for verb in VERBS:
            self.assertIn(f"\n  {verb} ", text)
        self.assertIn("Exit codes:\n    0  done\n    1  not found, or another failure\n"
                      "    2  wrong usage; nothing was done\n    3  damage found\n"
                      "    4  another process has the file open\n    5  the disk is full\n"
                      "    6  it exists already, or has another version\n  130  interrupted by Ctrl-C\n"
                      "  141  whoever read the output went away\n", text)

    def test_of_each_verb(self):
        for verb, arguments in VERBS.items():
            done = self.run_tool(verb, "--help")
            self.assertEqual((done.returncode, done.stderr), (OK, b""), verb)
            text = done.stdout.decode()
            for wanted in ["FILE", "--json", f"Examples:\n  ", f"spillway {verb} ", "Exit codes:\n    0  done\n",
                           "    2  wrong usage; nothing was done\n", "  130  interrupted by Ctrl-C\n", *arguments]:
                self.assertIn(wanted, text, verb)

    def test_version(self):
        self.expect("--version", out=b"spillway 0.1.0\n")
        library.spw_version.restype = __import__("ctypes").c_char_p
        self.assertEqual(library.spw_version(), b"0.1.0")


class Wrong(TestCase):
    def wrong(self, *arguments, says=None):
        before = {name: self.path(name).read_bytes() for name in os.listdir(self.folder)}
        done = self.run_tool(*arguments)
        self.assertEqual((done.returncode, done.stdout), (USAGE, b""), arguments)
        self.assertRegex(done.stderr, rb"^spillway: [^\n]+ \(SPW_INVALID_ARGUMENT\)\n")
        if says is not None:
            self.assertEqual(done.stderr, says)
        else:
            self.assertRegex(done.stderr, rb" --help tells how it is used\.\n$")
        self.assertEqual(self.json_error(*arguments, code=USAGE)["code"], "SPW_INVALID_ARGUMENT")
        self.assertEqual({name: self.path(name).read_bytes() for name in os.listdir(self.folder)}, before)

    def test_usage(self):
        self.make({b"a": b"1"})
        self.wrong()
        self.wrong("nothing", "f")
        self.wrong("get", says=b"spillway: FILE is required (SPW_INVALID_ARGUMENT)\n"
                               b"spillway get --help tells how it is used.\n")
        for verb, arguments in VERBS.items():
            self.wrong(verb)
            self.wrong(verb, "f", *arguments, "--no-such-option")
            if verb != "rm":
                self.wrong(verb, "f", *arguments, "one", "too-many")
        for arguments in [["rm", "f"], ["get", "f", "a", "--offset"], ["put", "f", "a", "--if-absent", "--if-version", "1"],
                          ["put", "f", "a", "--checksum", "sha256"], ["put", "--create", "g", "a", "--checksum", "md5"],
                          ["verify", "f", "--full", "--quick"], ["trim", "f", "s"],
                          ["trim", "f", "s", "--before-seq", "1", "--before-time", "1"],
                          ["trim", "f", "s", "--before-seq", "1", "--bytes-most", "1"],
                          ["trim", "f", "s", "--before-time", "1", "--bytes-most", "1"],
                          ["trim", "f", "s", "--before-seq", "-1"], ["trim", "f", "s", "--before-time", "1x"],
                          ["trim", "f", "s", "--before-time", "9223372036854775808"]]:
            self.wrong(*arguments)

    def test_numbers(self):
        self.make({b"a": b"1"})
        for option in ["--offset", "--length"]:
            for text in ["-1", "", "x", "1x", "1KK", "1.5K", "0x10", "+1", " 1", "K", "18446744073709551616", "16777216T"]:
                self.wrong("get", "f", "a", f"{option}={text}")
        for text in ["-1", "0", "x", "1K", "18446744073709551615"]:
            self.wrong("put", "f", "a", f"--if-version={text}")
        self.wrong("get", "f", "a", "--offset", "1x", says=(
            b'spillway: --offset: "1x" is not a number of bytes, such as 4096, 64K, 1M, 2G or 1T (SPW_INVALID_ARGUMENT)\n'
            b"spillway get --help tells how it is used.\n"))

    def test_units(self):
        payload = os.urandom((2 << 20) + 10)
        self.make({b"a": payload})
        for text, offset in [("0", 0), ("010", 10), ("1k", 1 << 10), ("64K", 64 << 10), ("1M", 1 << 20), ("2m", 2 << 20),
                             ("1G", 1 << 30), ("1T", 1 << 40), ("18446744073709551615", 1 << 63)]:
            self.expect("get", "f", "a", "--offset", text, out=payload[offset:])
            self.expect("get", "f", "a", "--length", text, out=payload[:offset])

    def test_names_that_cannot_be(self):
        self.make({b"a": b"1"})
        for name in [b"", b"x" * 1025]:
            for arguments in [["get", "f", name], ["put", "f", name], ["rm", "f", name], ["mv", "f", "a", name],
                              ["mv", "f", name, "a"]]:
                error = self.json_error(*arguments, code=USAGE)
                self.assertEqual(error["code"], "SPW_INVALID_ARGUMENT", arguments)
        self.assertEqual(self.names(), [b"a"])


main()
