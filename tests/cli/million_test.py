#!/usr/bin/env python3
"""million_test.py build-folder: a list of a million blocks comes in pieces and takes no memory."""
import os
import subprocess

from harness import OK, OPEN_NEW, Held, TestCase, in_process_that_ends, main


class Million(TestCase):
    BLOCKS = 1_000_000

    def test_a_million_blocks(self):
        # The most memory that this process takes would also count for what it starts.
        in_process_that_ends(self.make_blocks)
        for arguments, ends in [(["ls"], b"block/%07d\n"), (["ls", "-l"], b" block/%07d\n"), (["ls", "-0"], b"block/%07d\0"),
                                (["ls", "--json"], b'{"name":"block/%07d",')]:
            self.check_listing([*arguments, "f"], ends)

    def make_blocks(self):
        held = Held(self.path(), OPEN_NEW)
        for first in range(0, self.BLOCKS, 50000):
            held.put({b"block/%07d" % i: b"" for i in range(first, first + 50000)})
        held.close()

    def check_listing(self, arguments, entry):
        process = self.start(*arguments, stdout=subprocess.PIPE)
        separator = entry[-1:] if entry[-1:] in b"\n\0" else b"\n"
        seen, rest = 0, b""
        while piece := process.stdout.read(1 << 16):
            *whole, rest = (rest + piece).split(separator)
            for line in whole:
                wanted = entry % seen
                self.assertTrue(line + separator == wanted or line.startswith(wanted) or (line + separator).endswith(wanted))
                seen += 1
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual((process.returncode, seen, rest), (OK, self.BLOCKS, b""))
        self.assertLess(usage.ru_maxrss, 64 * 1024, "KiB")


main()
