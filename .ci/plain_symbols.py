#!/usr/bin/env python3
"""plain_symbols.py object: turns "unique" symbols of a 64-bit ELF object into weak ones.

libstdc++.a marks its static data members as STB_GNU_UNIQUE, one instance per process, and objcopy
cannot make such a symbol local. Weak ones it can.
"""
import struct
import sys

SHT_SYMTAB, STB_WEAK, STB_GNU_UNIQUE, SYMBOL_BYTES = 2, 2, 10, 24


def main(path):
    with open(path, "r+b") as file:
        elf = bytearray(file.read())
        if elf[:6] != b"\x7fELF\x02\x01":
            sys.exit(f"{path}: not a little-endian 64-bit ELF file")
        (sections,) = struct.unpack_from("<Q", elf, 0x28)
        size, count = struct.unpack_from("<HH", elf, 0x3A)
        if count == 0:  # more than 65,279 sections: the count stands in section 0
            (count,) = struct.unpack_from("<Q", elf, sections + 0x20)
        for section in range(sections, sections + size * count, size):
            (kind,) = struct.unpack_from("<I", elf, section + 4)
            if kind != SHT_SYMTAB:
                continue
            start, length = struct.unpack_from("<QQ", elf, section + 0x18)
            for symbol in range(start, start + length, SYMBOL_BYTES):
                if elf[symbol + 4] >> 4 == STB_GNU_UNIQUE:
                    elf[symbol + 4] = STB_WEAK << 4 | elf[symbol + 4] & 15
        file.seek(0)
        file.write(elf)


main(sys.argv[1])
