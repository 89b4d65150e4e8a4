#!/usr/bin/env python3
"""A reader of block files, written from internal/blockfile/FORMAT.md alone. Changes nothing.
reader.py FILE        each block: length, tag (hex), SHA-256 or what is damaged, name
reader.py FILE NAME   writes that block to stdout
Exit code 1 and a line on stderr for each: damage, no block file, or one of a later version."""
import hashlib, itertools, os, struct, sys
from struct import unpack_from
# XXH3, 64 bits with a seed, after the specification of xxHash 0.8.
M, M32, P32_1, P32_2, P32_3 = (1 << 64) - 1, (1 << 32) - 1, 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64_1, P64_2, P64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P64_4, P64_5, MX1, MX2 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5, 0x165667919E3779F9, 0x9FB21C651E98DF25
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb"
    "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")

def number(data, at=0, size=8): return int.from_bytes(data[at:at + size], "little")
def secrets(at): return number(SECRET, at) ^ number(SECRET, at + 8)
def flip(value, size): return int.from_bytes(value.to_bytes(size, "little"), "big")
def rotate(h, bits): return (h << bits | h >> 64 - bits) & M
def fold(a, b): return a * b & M ^ a * b >> 64
def step(h, shift, factor): return (h ^ h >> shift) * factor & M
def avalanche(h): return step(h, 37, MX1) ^ step(h, 37, MX1) >> 32
def avalanche64(h): return step(step(h, 33, P64_2), 29, P64_3) ^ step(step(h, 33, P64_2), 29, P64_3) >> 32
def mix(data, at, place, seed):
    return fold(number(data, at) ^ number(SECRET, place) + seed & M,
                number(data, at + 8) ^ number(SECRET, place + 8) - seed & M)
def xxh3(seed, data):
    size = len(data)
    if size == 0: return avalanche64(seed ^ secrets(56))
    if size <= 3:
        h = data[0] << 16 | data[size >> 1] << 24 | data[-1] | size << 8
        return avalanche64(h ^ (number(SECRET, 0, 4) ^ number(SECRET, 4, 4)) + seed & M)
    if size <= 8:
        h = number(data, size - 4, 4) + (number(data, 0, 4) << 32)
        h ^= secrets(8) - (seed ^ flip(seed & M32, 4) << 32) & M
        h = step(h ^ rotate(h, 49) ^ rotate(h, 24), 64, MX2)
        return step((h ^ (h >> 35) + size), 64, MX2) ^ step((h ^ (h >> 35) + size), 64, MX2) >> 28
    if size <= 16:
        low, high = number(data) ^ secrets(24) + seed & M, number(data, size - 8) ^ secrets(40) - seed & M
        return avalanche(size + flip(low, 8) + high + fold(low, high) & M)
    if size <= 128:
        starts = range(0, (size + 1) // 2, 16)
        h = sum(mix(data, i, 2 * i, seed) + mix(data, size - 16 - i, 2 * i + 16, seed) for i in starts)
        return avalanche(size * P64_1 + h & M)
    if size <= 240:
        h = avalanche(size * P64_1 + sum(mix(data, i, i, seed) for i in range(0, 128, 16)) & M)
        h += sum(mix(data, i, i - 125, seed) for i in range(128, size - 15, 16))
        return avalanche(h + mix(data, size - 16, 119, seed) & M)
    key = struct.pack("<24Q", *(number(SECRET, 8 * i) + (-seed if i % 2 else seed) & M for i in range(24)))
    acc = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1]
    for n in range((size - 1) // 64 + 1):
        last = n == (size - 1) // 64
        secret = unpack_from("<8Q", key, 121 if last else n % 16 * 8)
        for i, word in enumerate(unpack_from("<8Q", data, size - 64 if last else 64 * n)):
            acc[i ^ 1] += word
            acc[i] += ((word ^ secret[i]) & M32) * ((word ^ secret[i]) >> 32)
        if n % 16 == 15 and not last:
            acc = [(step(a & M, 47, 1) ^ k) * P32_1 & M for a, k in zip(acc, unpack_from("<8Q", key, 128))]
    pairs = ((acc[i] & M ^ number(key, 11 + 8 * i), acc[i + 1] & M ^ number(key, 19 + 8 * i)) for i in range(0, 8, 2))
    return avalanche(size * P64_1 + sum(fold(a, b) for a, b in pairs) & M)

class Damage(Exception): pass
class Unsupported(Exception): pass
def require(truth, what, error=Damage):
    if not truth: raise error(what)

class BlockFile:
    def __init__(self, path):
        self.file, self.problems, self.overlay = open(path, "rb"), [], {}
        self.size = self.file.seek(0, 2)
        units = [self.at(n * 4096, 4096) for n in range(4)]
        supers = [unit for unit in units[:2] if unit[:8] == b"SPWBLOCK"]
        good = [unit for unit in supers if number(unit, 4088) == xxh3(0, unit[:4088])]
        require(supers, "not a block file", Unsupported)
        for unit in good:
            known = number(unit, 8, 4) == 1 and number(unit, 96, 4) in (1, 2)
            require(known and not any(unit[48:56] + unit[100:112] + unit[168:224]), "of a later version", Unsupported)
        require(good, "both superblocks are damaged")
        self.super = max(good, key=lambda unit: number(unit, 56))
        self.page_bytes, self.seed = number(self.super, 12, 4), xxh3(0, self.super[16:32])
        self.digest_bytes = {1: 8, 2: 32}[number(self.super, 96, 4)]
        marks = [unpack_from("<4Q", unit, 8) for unit in units[2:]
                 if unit[:8] == b"SPWMARK\n" and number(unit, 4088) == xxh3(self.seed, unit[:4088])]
        _, generation, frames, closed = max(marks, default=(0, 0, 0, 0))
        require(generation <= number(self.super, 56), "the newest superblock is damaged")
        if (generation, closed) != (number(self.super, 56), 1):
            self.replay(frames if generation == number(self.super, 56) else 0)
    def at(self, offset, size):
        self.file.seek(min(offset, self.size))
        return self.file.read(min(size, self.size))
    def digest(self, seed, data):
        sha256 = hashlib.sha256(struct.pack("<Q", seed) + data)
        return sha256.digest() if self.digest_bytes == 32 else struct.pack("<Q", xxh3(seed, data))
    def proved(self, page, size, digest, seed, what):
        data = self.at(page * self.page_bytes, size)
        require(len(data) == size and self.digest(seed, data) == digest, f"{what} in page {page} is damaged")
        return data
    def replay(self, acknowledged):
        (page, salt), last_sum = unpack_from("<2Q", self.super, 272), 0
        for count in itertools.count(1):
            head = self.at(page * self.page_bytes, 96).ljust(96)
            body = self.at(page * self.page_bytes + 96, number(head, 40))
            whole = (self.is_frame(head, salt) and len(body) == number(head, 40) and
                     unpack_from("<3Q", head, 8) == (salt, count, last_sum) and
                     self.digest(salt, body).ljust(32, b"\0") == head[56:88])
            changes, there = self.changes(body) if whole else {}, whole
            try:
                for entry in filter(None, changes.values()):
                    self.payload(entry) if count > acknowledged else self.extents(entry)
            except Damage: there = False
            if not there:
                later = (self.at((page + i) * self.page_bytes, 96).ljust(96) for i in range(257))
                if count > acknowledged and not any(self.is_frame(frame, salt) and number(frame, 16) > count <=
                                                    number(frame, 48) for frame in later): return
                require(whole, f"frame {count} at page {page} is damaged")
            self.overlay.update(changes)
            page, last_sum = number(head, 32), number(head, 88)
    def is_frame(self, head, salt):
        return head[:16] == b"SPWFRAME" + struct.pack("<Q", salt) and number(head, 88) == xxh3(salt, head[:88])
    def changes(self, body):
        found, at, last = {}, 0, b""
        while at < len(body):
            name_bytes, kind, entry_bytes = unpack_from("<HHI", body.ljust(at + 8), at)
            name, at = body[at + 8:at + 8 + name_bytes], at + 8 + name_bytes + entry_bytes
            require(at <= len(body) and kind < 2 and last < name, "the changes of a frame make no sense")
            found[name], last = body[at - entry_bytes:at] if kind else None, name
        return found
    def extents(self, entry):
        """The payload itself or (page, bytes, digest) of its chunks; the block's id, length and tag."""
        require(len(entry) >= 48, "an entry is cut off")
        kind, tag_bytes, codec, cipher, count, block, version, length = unpack_from("<4BI3Q", entry)
        require(codec == cipher == 0, "a block is coded in a way that is not known here", Unsupported)
        tag, rest = entry[48:48 + tag_bytes], entry[48 + tag_bytes:]
        require(kind < 3 and tag_bytes <= 128 and len(tag) == tag_bytes and block and version, "no such entry")
        if kind == 0:
            require(len(rest) == length, "an entry has another length")
            return rest, block, length, tag
        if kind == 2:
            rest = self.proved(number(rest), number(rest, 8), rest[16:], self.seed, "the list of a block")
        extents = [unpack_from("<2Q", rest, 16 * i) for i in range(min(count, len(rest) // 16))]
        require(all(0 < size <= self.size for _, size in extents), "an extent of a size that cannot be")
        chunks = [(page + at // self.page_bytes, min(65536, size - at))
                  for page, size in extents for at in range(0, size, 65536)]
        require(sum(size for _, size in extents) == length and
                len(rest) == 16 * count + len(chunks) * self.digest_bytes, "a list does not add up")
        digests = (rest[i:i + self.digest_bytes] for i in range(16 * count, len(rest), self.digest_bytes))
        return [(*chunk, digest) for chunk, digest in zip(chunks, digests)], block, length, tag
    def payload(self, entry):
        stored, block, _, _ = self.extents(entry)
        if isinstance(stored, bytes): return stored
        seeds = (self.seed + (block + 1) * 0x9e3779b97f4a7c15 + (page + 1) * P64_2 & M for page, _, _ in stored)
        return b"".join(self.proved(*chunk, seed, "payload") for chunk, seed in zip(stored, seeds))
    def walk(self, page, digest, level):
        """(name, entry) below a page of the registry. Damage is noted, and the rest goes on."""
        try:
            node = self.proved(page, self.page_bytes, digest, self.seed, "a registry page")
            kind, its_level, count, end = unpack_from("<2BHI", node)
            require((kind, its_level) == (2 if level else 1, level), "a page of the registry is none")
            for at in unpack_from(f"<{count}H", node, 8):
                key_bytes, value_bytes = unpack_from("<2H", node, at)
                key = at + (20 + self.digest_bytes if level else 4)
                value = key + key_bytes
                require(value + value_bytes <= end <= self.page_bytes, "an entry reaches beyond its page")
                if level:
                    yield from self.walk(number(node, at + 4), node[at + 20:key], level - 1)
                else:
                    yield node[key:value], node[value:value + value_bytes]
        except (Damage, struct.error) as error:
            self.problems.append(str(error))
    def blocks(self):
        """The entries of all blocks by name, in the order of their names."""
        page, level = number(self.super, 112), number(self.super, 160)
        found = dict(self.walk(page, self.super[120:120 + self.digest_bytes], level)) if page else {}
        return {name: entry for name, entry in sorted({**found, **self.overlay}.items()) if entry is not None}

def main(path, name=None):
    try:
        file = BlockFile(path)
        blocks = file.blocks()
        if name is not None:
            require(os.fsencode(name) in blocks, "there is no such block")
            sys.stdout.buffer.write(file.payload(blocks[os.fsencode(name)]))
            return
        for key, entry in blocks.items():
            try:
                _, _, length, tag = file.extents(entry)
                print(length, tag.hex() or "-", hashlib.sha256(file.payload(entry)).hexdigest(), repr(key)[2:-1])
            except (Damage, Unsupported) as error:
                file.problems.append(f"{key!r}: {error}")
                print("- - DAMAGED", repr(key)[2:-1])
        sys.exit("\n".join(file.problems) or 0)
    except (Damage, Unsupported) as error:
        sys.exit(str(error))
if __name__ == "__main__":
    main(*sys.argv[1:3])
