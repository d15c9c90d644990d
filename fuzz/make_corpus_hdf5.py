#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Writes fuzz/corpus/hdf5/ and fuzz/corpus/zip/, as make_corpus.py does for the other formats: small
# files of every feature (ok-*), and files that break one rule of the reader each (bad-*), with right
# checksums.  Needs nothing but Python; always writes the same bytes.
import io
import os
import struct
import zipfile
import zlib

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
NONE = b"\xff" * 8


def put(folder, name, data):
    os.makedirs(os.path.join(HERE, folder), exist_ok=True)
    with open(os.path.join(HERE, folder, name), "wb") as f:
        f.write(data)


def u(n, size=8):
    return (n & (1 << 8 * size) - 1).to_bytes(size, "little")


def pad(data, to=8):
    return data + bytes(-len(data) % to)


def lookup3(data):
    m = 0xFFFFFFFF
    rot = lambda x, k: (x << k | x >> (32 - k)) & m
    a = b = c = (0xDEADBEEF + len(data)) & m
    if not data:
        return c
    while len(data) > 12:
        x, y, z = struct.unpack("<3I", data[:12])
        data = data[12:]
        a, b, c = (a + x) & m, (b + y) & m, (c + z) & m
        a = ((a - c) & m) ^ rot(c, 4); c = (c + b) & m
        b = ((b - a) & m) ^ rot(a, 6); a = (a + c) & m
        c = ((c - b) & m) ^ rot(b, 8); b = (b + a) & m
        a = ((a - c) & m) ^ rot(c, 16); c = (c + b) & m
        b = ((b - a) & m) ^ rot(a, 19); a = (a + c) & m
        c = ((c - b) & m) ^ rot(b, 4); b = (b + a) & m
    x, y, z = struct.unpack("<3I", data + bytes(12 - len(data)))
    a, b, c = (a + x) & m, (b + y) & m, (c + z) & m
    c = ((c ^ b) - rot(b, 14)) & m
    a = ((a ^ c) - rot(c, 11)) & m
    b = ((b ^ a) - rot(a, 25)) & m
    c = ((c ^ b) - rot(b, 16)) & m
    a = ((a ^ c) - rot(c, 4)) & m
    b = ((b ^ a) - rot(a, 14)) & m
    return ((c ^ b) - rot(b, 24)) & m


def summed(data):
    return data + u(lookup3(data), 4)


# -- messages --------------------------------------------------------------------------------------
F32 = bytes.fromhex("11201f000400000000002000170800177f000000")
I8 = bytes.fromhex("1008000001000000 00000800")
BOOL = bytes.fromhex("38020000 01000000 10080000 01000000 00000800") + b"FALSE\0TRUE\0\0\1"
TEXT = bytes.fromhex("1310000004000000")  # four bytes, filled with NULs


def space(*shape, version=2, kind=1):
    return bytes([version, len(shape), 0, kind]) + b"".join(u(n) for n in shape)


def space1(*shape, flags=0):
    return bytes([1, len(shape), flags, 0, 0, 0, 0, 0]) + b"".join(u(n) for n in shape)


def attribute(name, kind, dims, data, version=3):
    return bytes([version, 0]) + u(len(name), 2) + u(len(kind), 2) + u(len(dims), 2) + \
        (b"\0" if version == 3 else b"") + name + kind + dims + data


def link(name, address, kind=None, version=1):
    return bytes([version, 8 if kind else 0]) + (bytes([kind]) if kind else b"") + u(len(name), 1) + name + u(address)


def contiguous(address, size, version=3):
    return bytes([version, 1]) + u(address) + u(size)


def header2(messages, version=2, gap=0):
    body = b"".join(u(t, 1) + u(len(m), 2) + u(f, 1) + m for t, m, f in messages) + bytes(gap)
    return summed(b"OHDR" + bytes([version, 1]) + u(len(body), 2) + body)


def header1(messages, version=1, count=None):
    body = b"".join(u(t, 2) + u(len(pad(m)), 2) + u(f, 1) + bytes(3) + pad(m) for t, m, f in messages)
    return bytes([version, 0]) + u(len(messages) if count is None else count, 2) + u(1, 4) + u(len(body), 4) + \
        bytes(4) + body


def plain(messages):
    """(type, body) or (type, body, flags)"""
    return [m if len(m) == 3 else m + (0,) for m in messages]


def superblock2(root, end, version=2, sizes=b"\x08\x08", flags=0, base=0):
    return summed(b"\x89HDF\r\n\x1a\n" + bytes([version]) + sizes + bytes([flags]) + u(base) + NONE + u(end) + u(root))


def new(messages=None, root=None, data=bytes(range(24)), tail=b"", superblock=None, cut=0, front=b""):
    """A file of one data set "x"; messages(address of the data), root(address of x) may be given."""
    messages = messages or (lambda at: [(1, space(2, 3)), (3, F32), (8, contiguous(at, 24))])
    root = root or (lambda x: [(6, link(b"x", x))])
    at = 48
    first = len(header2(plain(root(0))))
    second = len(header2(plain(messages(0))))
    x = at + first
    body = header2(plain(root(x))) + header2(plain(messages(x + second))) + data + tail
    options = {"root": 48, "end": 48 + len(body) + len(front)}
    options.update(superblock or {})
    out = front + superblock2(**options) + body
    return out[:len(out) - cut]


def old(names=(b"x",), sb=None, tree=None, node=None, heap=None, table=None, messages=None, entry=None, levels=0,
        data=bytes(range(24)), header=None):
    """A file of version 0; the data sets all begin at 96 + ... and have their own data."""
    entry = entry or (lambda i, name, address: u(name) + u(address) + bytes(24))
    messages = messages or (lambda at: [(1, space1(2, 3)), (3, F32), (8, contiguous(at, 24) + bytes(6))])
    texts, places = bytes(8), []
    for n in names:
        places.append(len(texts))
        texts += pad(n + b"\0")
    root_at = 96
    heap_at = root_at + len(header1([(0x11, bytes(16), 0)]))
    node_at = heap_at + 32 + len(texts)
    tree_at = node_at + 8 + 40 * len(names)
    tree_size = 24 + 8 + 16
    sets_at = tree_at + tree_size * (levels + 1)
    one = len(header1(plain(messages(0)))) + len(data)
    address = [sets_at + i * one for i in range(len(names))]
    t = {"type": 0, "used": 1, "magic": b"TREE", "child": None, "level": None}
    t.update(tree or {})
    trees = b""
    for level in range(levels + 1):
        child = node_at if not level else tree_at + tree_size * (level - 1)
        trees += t["magic"] + bytes([t["type"], level if t["level"] is None else t["level"]]) + u(t["used"], 2) + \
            NONE + NONE + u(0) + u(child if t["child"] is None else t["child"]) + u(places[-1] if places else 0)
    h = {"magic": b"HEAP", "version": 0, "size": len(texts), "data": heap_at + 32}
    h.update(heap or {})
    n = {"magic": b"SNOD", "version": 1, "count": len(names)}
    n.update(node or {})
    body = header1([(0x11, (table or (lambda a, b: u(a) + u(b)))(tree_at + tree_size * levels, heap_at), 0)],
                   **(header or {}))
    body += h["magic"] + bytes([h["version"], 0, 0, 0]) + u(h["size"]) + u(1) + u(h["data"]) + texts
    body += n["magic"] + bytes([n["version"], 0]) + u(n["count"], 2)
    body += b"".join(entry(i, p, a) for i, (p, a) in enumerate(zip(places, address))) + trees
    for a in address:
        body += header1(plain(messages(a + one - len(data)))) + data
    s = {"version": 0, "sizes": b"\x08\x08", "base": 0, "end": 96 + len(body), "root": root_at, "driver": -1, "free": 0}
    s.update(sb or {})
    return b"\x89HDF\r\n\x1a\n" + bytes([s["version"], s["free"], 0, 0, 0]) + s["sizes"] + b"\0" + u(4, 2) + u(16, 2) + \
        u(0, 4) + u(s["base"]) + NONE + u(s["end"]) + u(s["driver"]) + u(0) + u(s["root"]) + u(0) + bytes(16) + body


# -- chunks ----------------------------------------------------------------------------------------
def chunk_tree(at, chunks, rank, level=0, kind=1, used=None):
    """chunks: (size, mask, offsets, address)"""
    keys = b"".join(u(s, 4) + u(m, 4) + b"".join(u(o) for o in p) + u(0) + u(a) for s, m, p, a in chunks)
    return b"TREE" + bytes([kind, level]) + u(len(chunks) if used is None else used, 2) + NONE + NONE + keys + \
        bytes(8 + 8 * (rank + 1))


def chunked(pieces, shape=(4,), chunk=(2,), filters=None, places=None, kind=I8, size=1, fill=None, **tree):
    """A data set of int8 in chunks of these bytes."""
    places = places or [(2 * i,) for i in range(len(pieces))]

    def build(at, tree_at):
        messages = [(1, space(*shape)), (3, kind), (8, b"\3\2" + u(len(chunk) + 1, 1) + u(tree_at) +
                    b"".join(u(c, 4) for c in chunk) + u(size, 4))]
        if filters is not None:
            messages.append((0xB, filters))
        if fill is not None:
            messages.append((5, fill))
        return messages
    tree_size = len(chunk_tree(0, [(0, 0, p, 0) for p in places], len(shape)))
    probe = new(lambda at: build(at, at), data=b"")
    start = len(probe)
    address, entries = start + tree_size, []
    for piece, place in zip(pieces, places):
        data, mask = piece if isinstance(piece, tuple) else (piece, 0)
        entries.append((len(data), mask, place, address))
        address += len(data)
    blob = chunk_tree(start, entries, len(shape), **tree) + \
        b"".join(p[0] if isinstance(p, tuple) else p for p in pieces)
    return new(lambda at: build(at, at), data=blob)


DEFLATE = b"\2\1" + u(1, 2) + u(1, 2) + u(1, 2) + u(6, 4)
SHUFFLE = b"\2\1" + u(2, 2) + u(1, 2) + u(1, 2) + u(1, 4)
FLETCHER = b"\2\1" + u(3, 2) + u(0, 2) + u(0, 2)
ALL1 = b"\1\3" + bytes(6) + u(2, 2) + u(8, 2) + u(1, 2) + u(1, 2) + b"shuffle\0" + u(1, 4) + bytes(4) + \
    u(1, 2) + u(8, 2) + u(1, 2) + u(1, 2) + b"deflate\0" + u(6, 4) + bytes(4) + \
    u(3, 2) + u(0, 2) + u(0, 2) + u(0, 2)


def fletcher(data):
    a = b = 0
    for i in range(0, len(data), 2):
        a += data[i] << 8 | (data[i + 1] if i + 1 < len(data) else 0)
        b += a
    return data + u((b % 65535) << 16 | a % 65535, 4)


def make_hdf5():
    z = zlib.compress
    small = lambda *extra: (lambda at: [(1, space(2, 3)), (3, F32), (8, contiguous(at, 24))] + list(extra))
    only = lambda kind, dims, layout: (lambda at: [(1, dims), (3, kind), (8, layout(at))])
    compact = lambda data: (lambda at: b"\3\0" + u(len(data), 2) + data)
    ok = {
        "new": new(),
        "old": old(),
        "old-three": old((b"a", b"b", b"c")),
        "old-none": old((), tree={"used": 0}),
        "old-levels": old((b"a", b"b"), levels=8),
        "attributes": new(small((0xC, attribute(b"n\0", TEXT, space(kind=0), b"ab\0\0")),
                                (0xC, attribute(b"m\0", I8, space(2), b"\1\2", version=2)))),
        "attribute-old": new(small((0xC, b"\1\0" + u(2, 2) + u(8, 2) + u(8, 2) + pad(b"n\0") + TEXT + space1() + b"abcd"))),
        "compact": new(only(I8, space(3), compact(b"\1\2\3")), data=b""),
        "bool": new(only(BOOL, space(3), compact(b"\0\1\1")), data=b""),
        "null": new(only(I8, space(kind=2), compact(b"")), data=b""),
        "bfloat16": new(lambda at: [(1, space(1)), (3, bytes.fromhex("1500000002000000")), (8, compact(b"\x80\x3f")(0)),
                                    (0xC, attribute(b"dtype\0", bytes.fromhex("1310000008000000"), space(kind=0), b"bfloat16"))],
                        data=b""),
        "never-written": new(lambda at: [(1, space(3)), (3, I8), (5, b"\3\x20" + u(1, 4) + b"\7"),
                                         (8, contiguous(-1, 3))], data=b""),
        "gap": new(root=lambda x: [(6, link(b"x", x)), (0, bytes(3))]),
        "comment": new(small((0xD, b"text\0"), (0x12, bytes(8)))),
        "unknown-message": new(small((0x40, b"??"))),
        "group-in-group": new(root=lambda x: [(6, link(b"g", x))], messages=lambda at: [(2, b"\0\0" + NONE + NONE), (0xA, b"\0\0")],
                              data=b""),
        "chunked": chunked([b"ab", b"cd"]),
        "chunked-hole": chunked([b"cd"], places=[(2,)], fill=b"\3\x20" + u(1, 4) + b"\7"),
        "chunked-edge": chunked([b"ab", b"cd"], shape=(3,)),
        "chunked-zlib": chunked([z(b"ab"), z(b"cd")], filters=DEFLATE),
        "chunked-zlib-masked": chunked([z(b"ab"), (b"cd", 1)], filters=DEFLATE),
        "chunked-fletcher": chunked([fletcher(b"ab"), fletcher(b"cd")], filters=FLETCHER),
        "chunked-zlib-all": chunked([fletcher(z(b"ab")), fletcher(z(b"cd"))], filters=ALL1),
        "two-dimensions": chunked([b"abcd", b"efgh"], shape=(2, 3), chunk=(2, 2), places=[(0, 0), (0, 2)]),
        "superblock3": new(superblock={"version": 3}),
        "user-block": new(front=bytes(512), superblock={"base": 512}),
        "after-end": new() + b"??",
    }
    good = ok["new"]
    one_more = lambda b, i, v: b[:i] + v + b[i + len(v):]
    bad = {
        "nothing": b"",
        "signature": b"\x89HDF\r\n\x1a\r" + good[8:],
        "signature-only": good[:8],
        "cut": new(cut=1),
        "superblock-version": one_more(good, 8, b"\4"),
        "superblock-checksum": one_more(good, 44, b"\0\0"),
        "superblock-sizes": new(superblock={"sizes": b"\4\4"}),
        "superblock-base": new(superblock={"base": 8}),
        "superblock-open": new(superblock={"version": 3, "flags": 1}),
        "superblock-end": new(superblock={"end": 47}),
        "superblock-root": new(superblock={"root": 0}),
        "superblock-root-none": new(superblock={"root": -1}),
        "superblock-root-far": new(superblock={"root": 2**40}),
        "old-superblock-cut": old()[:90],
        "old-sizes": old(sb={"sizes": b"\4\4"}),
        "old-base": old(sb={"base": 4}),
        "old-driver": old(sb={"driver": 0}),
        "old-free-space-version": old(sb={"free": 1}),
        "old-root": old(sb={"root": 95}),
        "old-end": old(sb={"end": 95}),
        "old-header-version": old(header={"version": 2}),
        "old-header-count": old(header={"count": 2}),
        "old-tree-magic": old(tree={"magic": b"TREF"}),
        "old-tree-type": old(tree={"type": 1}),
        "old-tree-level": old(tree={"level": 1}),
        "old-tree-level-9": old(levels=9),
        "old-tree-used": old(tree={"used": 65535}),
        "old-tree-child": old(tree={"child": 2**63}),
        "old-tree-child-itself": old(tree={"child": 96}),
        "old-tree-cycle": old(levels=1, tree={"child": 280, "level": 1}),
        "old-heap-magic": old(heap={"magic": b"HEAD"}),
        "old-heap-version": old(heap={"version": 1}),
        "old-heap-size": old(heap={"size": 2**40}),
        "old-heap-size-0": old(heap={"size": 0}),
        "old-heap-data": old(heap={"data": 2**63}),
        "old-heap-data-in-superblock": old(heap={"data": 0}),
        "old-node-magic": old(node={"magic": b"SNOE"}),
        "old-node-version": old(node={"version": 2}),
        "old-node-count": old(node={"count": 65535}),
        "old-soft-link": old(entry=lambda i, n, a: u(n) + u(a) + u(2, 4) + bytes(20)),
        "old-cache-type": old(entry=lambda i, n, a: u(n) + u(a) + u(3, 4) + bytes(20)),
        "old-name-far": old(entry=lambda i, n, a: u(10**6) + u(a) + bytes(24)),
        "old-name-empty": old(entry=lambda i, n, a: u(0) + u(a) + bytes(24)),
        "old-name-twice": old((b"a", b"a")),
        "old-names-order": old((b"b", b"a")),
        "old-name-slash": old((b"a/b",)),
        "old-name-dots": old((b"..",)),
        "old-name-utf8": old((b"\xff",)),
        "old-second-link": old((b"a", b"b"), entry=lambda i, n, a: u(n) + u(a - (i * 136)) + bytes(24)),
        "old-cycle": old(entry=lambda i, n, a: u(n) + u(96) + bytes(24)),
        "header-version": one_more(good, 52, b"\3"),
        "header-magic": one_more(good, 48, b"OHDS"),
        "header-checksum": one_more(good, 60, b"\7"),
        "message-long": one_more(good, 57, b"\xff"),
        "must-understand": new(small((0x40, b"??", 0x80))),
        "shared-message": new(small((5, bytes(10), 2))),
        "continuation-far": new(small((0x10, u(10**6) + u(24)))),
        "continuation-itself": new(small((0x10, u(48) + u(24)))),
        "continuation-empty": new(small((0x10, u(48) + u(0)))),
        "second-layout": new(small((8, contiguous(-1, 24)))),
        "second-space": new(small((1, space(2)))),
        "external-file": new(small((7, bytes(16)))),
        "no-space": new(lambda at: [(3, F32), (8, contiguous(at, 24))]),
        "no-type": new(lambda at: [(1, space(6)), (8, contiguous(at, 24))]),
        "group-and-data": new(small((2, b"\0\0" + NONE + NONE))),
        "root-is-data": new(root=lambda x: [(1, space(2)), (3, I8), (8, compact(b"ab")(0))]),
        "cycle": new(root=lambda x: [(6, link(b"x", 48))]),
        "second-link": new(root=lambda x: [(6, link(b"x", x)), (6, link(b"y", x))]),
        "soft-link": new(root=lambda x: [(6, link(b"x", x, 1))]),
        "external-link": new(root=lambda x: [(6, link(b"x", x, 64))]),
        "link-version": new(root=lambda x: [(6, link(b"x", x, version=2))]),
        "link-cut": new(root=lambda x: [(6, link(b"x", x)[:-1])]),
        "name-twice": new(root=lambda x: [(6, link(b"x", x)), (6, link(b"x", x + 1))]),
        "name-empty": new(root=lambda x: [(6, link(b"", x))]),
        "name-slash": new(root=lambda x: [(6, link(b"a/b", x))]),
        "name-dots": new(root=lambda x: [(6, link(b"..", x))]),
        "name-nul": new(root=lambda x: [(6, link(b"a\0b", x))]),
        "name-utf8": new(root=lambda x: [(6, link(b"\xc0\x80", x))]),
        "data-far": new(only(F32, space(2, 3), lambda at: contiguous(2**63, 24))),
        "data-past-end": new(only(F32, space(2, 3), lambda at: contiguous(at + 1, 24))),
        "data-in-header": new(only(F32, space(2, 3), lambda at: contiguous(48, 24))),
        "data-short": new(only(F32, space(2, 3), lambda at: contiguous(at, 20))),
        "data-long": new(only(F32, space(2, 2), lambda at: contiguous(at, 24))),
        "terabyte": new(only(F32, space(2**20, 2**18), lambda at: contiguous(-1, 0))),
        "overflow": new(only(F32, space(2**32, 2**32), lambda at: contiguous(at, 0))),
        "overflow-bytes": new(only(F32, space(2**62), lambda at: contiguous(at, 0))),
        "zero-hides-overflow": new(only(F32, space(2**40, 2**40, 0), lambda at: contiguous(-1, 0))),
        "negative": new(only(F32, space(-1), lambda at: contiguous(at, 24))),
        "rank33": new(only(F32, space(*[1] * 33), lambda at: contiguous(at, 24))),
        "space-version": new(only(F32, space(6, version=3), lambda at: contiguous(at, 24))),
        "space-kind": new(only(F32, space(6, kind=3), lambda at: contiguous(at, 24))),
        "space-cut": new(only(F32, space(6)[:-1], lambda at: contiguous(at, 24))),
        "scalar-rank": new(only(F32, space(6, kind=0), lambda at: contiguous(at, 24))),
        "permuted": new(only(F32, b"\1\1\2\0\0\0\0\0" + u(6) + u(0), lambda at: contiguous(at, 24))),
        "type-version": new(only(b"\x61" + F32[1:], space(6), lambda at: contiguous(at, 24))),
        "type-class": new(only(b"\x1f" + F32[1:], space(6), lambda at: contiguous(at, 24))),
        "type-size-0": new(only(F32[:4] + u(0, 4) + F32[8:], space(6), lambda at: contiguous(at, 0))),
        "type-cut": new(only(F32[:-1], space(6), lambda at: contiguous(at, 24))),
        "text-size": new(only(bytes.fromhex("1901010008000000"), space(6), lambda at: contiguous(at, 48))),
        "layout-version": new(only(F32, space(6), lambda at: contiguous(at, 24, version=2))),
        "layout-class": new(only(F32, space(6), lambda at: b"\3\4" + bytes(16))),
        "compact-short": new(only(I8, space(3), compact(b"\1\2")), data=b""),
        "compact-cut": new(only(I8, space(3), lambda at: b"\3\0\3\0ab"), data=b""),
        "fill-size": new(small((5, b"\3\x20" + u(1, 4) + b"\7"))),
        "fill-version": new(small((5, b"\4\x20" + u(4, 4) + b"\7\7\7\7"))),
        "fill-cut": new(small((5, b"\2\2\2\1" + u(4, 4)))),
        "attribute-version": new(small((0xC, b"\4" + attribute(b"n\0", TEXT, space(), b"abcd")[1:]))),
        "attribute-name-open": new(small((0xC, attribute(b"n", TEXT, space(), b"abcd")))),
        "attribute-name-empty": new(small((0xC, attribute(b"\0", TEXT, space(), b"abcd")))),
        "attribute-data-cut": new(small((0xC, attribute(b"n\0", TEXT, space(2), b"abcd")))),
        "attribute-overflow": new(small((0xC, attribute(b"n\0", TEXT, space(2**62), b"abcd")))),
        "attribute-twice": new(small(*[(0xC, attribute(b"n\0", TEXT, space(kind=0), b"abcd"))] * 2)),
        "dense-far": new(root=lambda x: [(2, b"\0\0" + u(2**40) + u(48))]),
        "dense-magic": new(root=lambda x: [(2, b"\0\0" + u(x) + u(48))]),
        "chunk-rank": chunked([b"ab", b"cd"], shape=(4, 1), places=[(0, 0), (2, 0)]),
        "chunk-side-0": chunked([b"ab", b"cd"], chunk=(0,)),
        "chunk-size": chunked([b"ab", b"cdx"]),
        "chunk-empty": chunked([b"ab", b""]),
        "chunk-element": chunked([b"ab", b"cd"], size=2),
        "chunk-place": chunked([b"ab", b"cd"], places=[(0,), (3,)]),
        "chunk-outside": chunked([b"ab", b"cd"], places=[(0,), (4,)]),
        "chunk-twice": chunked([b"ab", b"cd"], places=[(0,), (0,)]),
        "chunk-order": chunked([b"ab", b"cd"], places=[(2,), (0,)]),
        "chunk-tree-kind": chunked([b"ab", b"cd"]).replace(b"TREE\1", b"TREE\0"),
        "chunk-tree-level": chunked([b"ab", b"cd"], level=1),
        "chunk-tree-used": chunked([b"ab", b"cd"], used=60000),
        "chunk-zlib": chunked([z(b"ab"), b"not zlib"], filters=DEFLATE),
        "chunk-zlib-short": chunked([z(b"ab"), z(b"c")], filters=DEFLATE),
        "chunk-zlib-long": chunked([z(b"ab"), z(b"cde")], filters=DEFLATE),
        "chunk-zlib-more": chunked([z(b"ab"), z(b"cd") + b"x"], filters=DEFLATE),
        "chunk-fletcher": chunked([fletcher(b"ab"), b"cd\0\0\0\0"], filters=FLETCHER),
        "chunk-fletcher-cut": chunked([fletcher(b"ab"), b"cd"], filters=FLETCHER),
        "chunk-bomb": chunked([z(bytes(2**22))], shape=(2**32,), chunk=(2**22,), places=[(0,)], filters=DEFLATE),
        "chunk-large": chunked([z(bytes(1000))], shape=(1000,), chunk=(2**31,), places=[(0,)], filters=DEFLATE),
        "filters-many": chunked([b"ab", b"cd"], filters=b"\2\x09" + FLETCHER[2:] * 9),
        "filters-version": chunked([b"ab", b"cd"], filters=b"\3\1" + FLETCHER[2:]),
        "filters-cut": chunked([b"ab", b"cd"], filters=b"\2\2" + FLETCHER[2:]),
        "bool-2": new(only(BOOL, space(3), compact(b"\0\2\1")), data=b""),
    }
    for kind, files in (("ok", ok), ("bad", bad)):
        for name, data in files.items():
            put("hdf5", kind + "-" + name, data)


# -- zip -------------------------------------------------------------------------------------------
def archive(*members, comment=b""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as f:
        for name, data, method in members:
            f.writestr(zipfile.ZipInfo(name), data, method)
        f.comment = comment
    return out.getvalue()


def patch(data, at, value):
    return data[:at] + value + data[at + len(value):]


def make_zip():
    s, d = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
    two = archive(("a.txt", b"hello", s), ("b/c", b"world!", s))
    packed = archive(("a", b"ab" * 100, d))
    directory = two.index(b"PK\1\2")
    end = two.index(b"PK\5\6")
    local2 = two.index(b"PK\3\4", 1)
    stream = io.BytesIO()

    class Pipe:  # cannot seek: the sizes come after the data
        def write(self, data):
            return stream.write(data)

        def flush(self):
            pass

    with zipfile.ZipFile(Pipe(), "w") as f:
        f.writestr(zipfile.ZipInfo("a"), b"hello", s)
    forced = io.BytesIO()
    with zipfile.ZipFile(forced, "w") as f:
        with f.open(zipfile.ZipInfo("a"), "w", force_zip64=True) as g:
            g.write(b"hello")
    ok = {
        "two": two,
        "none": archive(),
        "deflate": packed,
        "deflate-empty": archive(("a", b"", d)),
        "folder": archive(("a/", b"", s), ("a/b", b"x", s)),
        "comment": archive(("a", b"x", s), comment=b"a comment"),
        "utf8": archive(("k\u00e4se", b"x", s)),
        "streamed": stream.getvalue(),
        "zip64-local": forced.getvalue(),
        "keras": archive(("metadata.json", b"{}", s), ("config.json", b"{}", s), ("model.weights.h5", b"", s)),
    }
    dp = packed.index(b"PK\1\2")
    bad = {
        "nothing": b"",
        "end-cut": two[:-1],
        "end-more": two + b"x",
        "in-front": b"x" + two,
        "crc": two.replace(b"hello", b"hellp", 1),
        "local-magic": patch(two, 0, b"PK\3\5"),
        "local-name": patch(two, 30, b"b"),
        "local-method": patch(two, 8, b"\x08"),
        "local-size": patch(two, 22, u(6, 4)),
        "local-crc": patch(two, 14, u(1, 4)),
        "local-extra": patch(two, 28, u(65535, 2)),
        "local-encrypted": patch(two, 6, u(1, 2)),
        "central-magic": patch(two, directory, b"PK\1\3"),
        "central-encrypted": patch(two, directory + 8, u(1, 2)),
        "central-flags": patch(two, directory + 8, u(0x40, 2)),
        "central-method": patch(two, directory + 10, u(12, 2)),
        "central-stored": patch(two, directory + 20, u(6, 4)),
        "central-size": patch(two, directory + 24, u(2**31, 4)),
        "central-name-length": patch(two, directory + 28, u(65535, 2)),
        "central-disk": patch(two, directory + 34, u(1, 2)),
        "central-place": patch(two, directory + 42, u(2**31, 4)),
        "central-place-second": patch(two, directory + 42, u(local2, 4)),
        "central-zip64-without": patch(two, directory + 42, u(2**32 - 1, 4)),
        "symlink": patch(patch(two, directory + 5, b"\3"), directory + 40, u(0xA1FF, 2)),
        "count-1": patch(patch(two, end + 8, u(1, 2)), end + 10, u(1, 2)),
        "count-3": patch(patch(two, end + 8, u(3, 2)), end + 10, u(3, 2)),
        "count-differs": patch(two, end + 8, u(1, 2)),
        "disk": patch(two, end + 4, u(1, 2)),
        "directory-size": patch(two, end + 12, u(5, 4)),
        "directory-place": patch(two, end + 16, u(2**31, 4)),
        "name-dots": two.replace(b"a.txt", b"../xt"),
        "name-absolute": two.replace(b"a.txt", b"/.txt"),
        "name-backslash": two.replace(b"a.txt", b"a\\txt"),
        "name-drive": two.replace(b"a.txt", b"a:txt"),
        "name-nul": two.replace(b"a.txt", b"a\0txt"),
        "name-utf8": two.replace(b"a.txt", b"a\xfftxt"),
        "name-twice": archive(("a", b"x", s), ("b", b"y", s)).replace(b"b", b"a"),
        "folder-with-data": two.replace(b"a.txt", b"a.tx/"),
        "deflate-cut": patch(patch(packed, 18, u(3, 4)), dp + 20, u(3, 4)),
        "deflate-size": patch(patch(packed, 22, u(199, 4)), dp + 24, u(199, 4)),
        "deflate-size-more": patch(patch(packed, 22, u(201, 4)), dp + 24, u(201, 4)),
        "deflate-bomb": patch(patch(packed, 22, u(2**30, 4)), dp + 24, u(2**30, 4)),
        "deflate-broken": patch(packed, 31, b"\xff"),
    }
    for kind, files in (("ok", ok), ("bad", bad)):
        for name, data in files.items():
            put("zip", kind + "-" + name, data)


if __name__ == "__main__":
    make_hdf5()
    make_zip()
