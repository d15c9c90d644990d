#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Writes fuzz/corpus/: for each format small files of every feature (ok-*) and files that lie or are
# damaged (bad-*), one for each rule of the reader.  tests/format/corpus.c demands that the first are
# accepted and the second refused.  Needs nothing but Python; always writes the same bytes.
import gzip
import json
import os
import struct
import zipfile
import zlib

from make_corpus_hdf5 import archive, patch, u

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def put(folder, name, data):
    with open(os.path.join(HERE, folder, name), "wb") as f:
        f.write(data)


# -- IDX -------------------------------------------------------------------------------------------
def idx(kind, shape, data):
    return struct.pack(">BBBB", 0, 0, kind, len(shape)) + struct.pack(">%dI" % len(shape), *shape) + data


def crc_patch(data, wanted):
    """Four bytes that give data the checksum `wanted` when they follow it."""
    table = [0] * 256
    for i in range(256):
        c = i
        for _ in range(8):
            c = (c >> 1) ^ (0xEDB88320 if c & 1 else 0)
        table[i] = c
    state = wanted ^ 0xFFFFFFFF
    index = []
    for _ in range(4):
        i = next(i for i in range(256) if table[i] >> 24 == state >> 24)
        index.append(i)
        state = ((state ^ table[i]) << 8) & 0xFFFFFFFF
    state = zlib.crc32(data) ^ 0xFFFFFFFF
    patch = b""
    for i in reversed(index):
        patch += bytes([(state ^ i) & 255])
        state = (state >> 8) ^ table[i]
    assert zlib.crc32(data + patch) == wanted
    return patch


def make_idx():
    images = idx(8, (2, 3, 2), bytes(range(12)))
    ok = {
        "u8": images,
        "labels": idx(8, (5,), b"\x01\x02\x03\x09\x00"),
        "i8": idx(9, (3,), struct.pack(">3b", -128, 0, 127)),
        "i16": idx(0x0B, (3,), struct.pack(">3h", -32768, -2, 32767)),
        "i32": idx(0x0C, (2, 2), struct.pack(">4i", -(2**31), -1, 1, 2**31 - 1)),
        "f32": idx(0x0D, (3,), struct.pack(">3f", 1.5, float("inf"), float("nan"))),
        "f64": idx(0x0E, (2,), struct.pack(">2d", -0.0, 1e300)),
        "rank8": idx(8, (1, 1, 2, 1, 1, 1, 1, 1), b"\x07\x08"),
        "empty": idx(8, (0, 28, 28), b""),
        "gzip": gzip.compress(images, mtime=0),
        "gzip-i16": gzip.compress(idx(0x0B, (300,), bytes(600)), mtime=0),
        "gzip-empty": gzip.compress(idx(8, (0,), b""), mtime=0),
    }
    packed = ok["gzip"]
    bad = {
        "nothing": b"",
        "short": b"\0\0\x08",
        "magic": b"\0\x01" + images[2:],
        "type": idx(0x0A, (1,), b"\0"),
        "rank0": b"\0\0\x08\0\0",
        "rank9": idx(8, (1,) * 9, b"\0"),
        "header-cut": images[:10],
        "data-cut": images[:-1],
        "data-more": images + b"\0",
        "huge": idx(8, (2**32 - 1,) * 2, b"1234"),
        "terabyte": idx(8, (2**20, 2**20), b"1234"),
        "overflow": idx(0x0E, (2**32 - 1,) * 8, b"1234"),
        "zero-hides-overflow": idx(8, (0,) + (2**32 - 1,) * 7, b""),
        "gzip-cut": packed[:-9],
        "gzip-no-trailer": packed[:-4],
        "gzip-crc": packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:],
        "gzip-length": packed[:-4] + struct.pack("<I", 25),
        "gzip-trailing": packed + b"\0",
        "gzip-two-members": packed + packed,
        "gzip-data-more": gzip.compress(images + b"\0", mtime=0),
        "gzip-data-cut": gzip.compress(images[:-1], mtime=0),
        "gzip-not-idx": gzip.compress(b"hello, world", mtime=0),
        "gzip-nothing": gzip.compress(b"", mtime=0),
        "gzip-head-only": packed[:10],
        "gzip-method": packed[:2] + b"\x07" + packed[3:],
    }
    # headers that claim much, with a trailer that agrees (modulo 2^32), and 1000 bytes of data:
    # a terabyte; 56 MiB, which a small file may ask for; the same as i16, which become twice as
    # many bytes of i32; and too much only because of that
    for name, kind, shape, element in (("terabyte", 8, (2**20, 2**20), 1),
                                       ("claims-most", 8, (2**16, 900), 1),
                                       ("claims-most-i16", 0x0B, (2**16, 225), 2),
                                       ("claims-more-i16", 0x0B, (2**16, 250), 2)):
        head = idx(kind, shape, bytes(1000))
        body = zlib.compressobj(9, zlib.DEFLATED, -15)
        size = 12 + shape[0] * shape[1] * element
        bad["gzip-" + name] = packed[:10] + body.compress(head) + body.flush() + struct.pack(
            "<II", zlib.crc32(head), size % 2**32)
    # cut off inside the trailer, where the checksum happens to be what the length should be
    start = idx(8, (8,), b"abcd")
    forged = start + crc_patch(start, len(start) + 4)
    bad["gzip-checksum-as-length"] = gzip.compress(forged, mtime=0)[:-4]
    return ok, bad


# -- NPY -------------------------------------------------------------------------------------------
def npy(text, data=b"", version=(1, 0), align=64):
    text = text.encode("utf-8") if isinstance(text, str) else text
    start = 10 if version[0] == 1 else 12
    text += b" " * (-(start + len(text) + 1) % align) + b"\n"
    n = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + n + text + data


def head(descr, shape, fortran="False"):
    return "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, fortran, shape)


def make_npy():
    six = struct.pack("<6f", 0, 1, 2, 3, 4, 5)
    ok = {
        "f4": npy(head("<f4", "(2, 3)"), six),
        "f4-big": npy(head(">f4", "(2, 3)"), struct.pack(">6f", 0, 1, 2, 3, 4, 5)),
        "f4-fortran": npy(head("<f4", "(2, 3)", "True"), six),
        "f8": npy(head("<f8", "(1,)"), struct.pack("<d", 0.1)),
        "f8-big-fortran": npy(head(">f8", "(1, 2)", "True"), struct.pack(">2d", 1, 2)),
        "f2": npy(head("<f2", "(2,)"), struct.pack("<2e", 1.5, -2)),
        "f2-big": npy(head(">f2", "(2,)"), struct.pack(">2e", 1.5, -2)),
        "i1": npy(head("|i1", "(3,)"), b"\x80\x00\x7f"),
        "u1": npy(head("|u1", "(3,)"), b"\x80\x00\xff"),
        "u1-order": npy(head("<u1", "(3,)"), b"\x80\x00\xff"),
        "i4": npy(head("<i4", "(2,)"), struct.pack("<2i", -(2**31), 7)),
        "i4-native": npy(head("=i4", "(1,)"), struct.pack("<i", 7)),
        "i8": npy(head("<i8", "(1, 1, 1)"), struct.pack("<q", -(2**63))),
        "b1": npy(head("|b1", "(2,)"), b"\x00\x01"),
        "scalar": npy(head("<f4", "()"), struct.pack("<f", 3)),
        "empty": npy(head("<f4", "(0, 5)")),
        "rank8": npy(head("|u1", "(1, 1, 1, 1, 1, 1, 1, 2)"), b"ab"),
        "version2": npy(head("<f4", "(1,)"), b"\0\0\x80\x3f", (2, 0)),
        "version3": npy(head("<f4", "(1,)"), b"\0\0\x80\x3f", (3, 0)),
        "align16": npy(head("<f4", "(1,)"), b"\0\0\x80\x3f", align=16),
        "other-order-of-keys": npy('{"shape":(2,3),"fortran_order":False,"descr":"<f4"}', six),
    }
    f4 = ok["f4"]
    bad = {
        "nothing": b"",
        "magic": b"\x92" + f4[1:],
        "version0": npy(head("<f4", "(2, 3)"), six, (0, 0)),
        "version4": npy(head("<f4", "(2, 3)"), six, (4, 0)),
        "version1.1": npy(head("<f4", "(2, 3)"), six, (1, 1)),
        "header-cut": f4[:40],
        "header-none": f4[:8],
        "header-length-cut": npy(head("<f4", "()"), b"", (2, 0))[:11],
        "header-long": npy(head("<f4", "(2, 3)") + " " * 10000, six),
        "header-4g": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + f4[10:],
        "data-cut": f4[:-1],
        "data-more": f4 + b"\0",
        "object": npy(head("|O", "(1,)"), b"\0" * 8),
        "structured": npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", b"\0" * 4),
        "type": npy(head("<c8", "(1,)"), b"\0" * 8),
        "type-i2": npy(head("<i2", "(1,)"), b"\0" * 2),
        "type-no-order": npy(head("f4", "(1,)"), b"\0" * 4),
        "type-bar": npy(head("|f4", "(1,)"), b"\0" * 4),
        "type-empty": npy(head("", "(1,)"), b"\0" * 4),
        "type-long": npy(head("<f4" + "x" * 60, "(1,)"), b"\0" * 4),
        "bool-2": npy(head("|b1", "(2,)"), b"\x00\x02"),
        "key-twice": npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", b"\0" * 4),
        "key-unknown": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1, }", b"\0" * 4),
        "key-missing": npy("{'descr': '<f4', 'shape': (1,), }", b"\0" * 4),
        "no-dict": npy("['<f4']", b"\0" * 4),
        "after-dict": npy(head("<f4", "(1,)") + "+1", b"\0" * 4),
        "call": npy("{'descr': '<f4', 'fortran_order': False, 'shape': tuple(1), }", b"\0" * 4),
        "no-tuple": npy(head("<f4", "(1)"), b"\0" * 4),
        "list": npy(head("<f4", "[1]"), b"\0" * 4),
        "no-comma": npy(head("<f4", "(1 1)"), b"\0" * 4),
        "two-commas": npy(head("<f4", "(1,,)"), b"\0" * 4),
        "only-comma": npy(head("<f4", "(,)"), b"\0" * 4),
        "negative": npy(head("<f4", "(-1,)"), b"\0" * 4),
        "leading-zero": npy(head("<f4", "(01,)"), b"\0" * 4),
        "size-2^63": npy(head("<f4", "(9223372036854775808,)"), b"\0" * 4),
        "size-2^64": npy(head("<f4", "(18446744073709551617,)"), b"\0" * 4),
        "terabyte": npy(head("<f4", "(1048576, 262144)"), b"\0" * 4),
        "overflow": npy(head("<f4", "(4294967296, 4294967296)"), b""),
        "overflow-bytes": npy(head("<f8", "(2305843009213693952,)"), b""),
        "zero-hides-overflow": npy(head("<f4", "(0, 4294967296, 4294967296)"), b""),
        "rank9": npy(head("|u1", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), b"a"),
        "bool-number": npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", b"\0" * 4),
        "string-open": npy("{'descr': '<f4", b"\0" * 4),
        "not-ascii": npy("{'descr': '\u00e9', 'fortran_order': False, 'shape': (1,), }", b"\0" * 4),
    }
    return ok, bad


# -- safetensors -----------------------------------------------------------------------------------
def st(header, data=b"", pad=8):
    if not isinstance(header, (str, bytes)):
        header = json.dumps(header, separators=(",", ":"))
    header = header.encode("utf-8") if isinstance(header, str) else header
    header += b" " * (-len(header) % pad)
    return struct.pack("<Q", len(header)) + header + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


BITS = {"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8,
        "F8_E5M2FNUZ": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "I16": 16, "U16": 16, "F16": 16,
        "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64}


def make_safetensors():
    i32 = {"test": entry("I32", [2, 2], 0, 16)}
    text = '{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}'
    every, at = {}, 0
    for name, bits in BITS.items():
        every["t." + name] = entry(name, [4], at, at + bits // 2)
        at += bits // 2
    two = {"b": entry("U8", [3], 4, 7), "a": entry("F32", [1], 0, 4)}
    ok = {
        "upstream": st(text, bytes(16)),
        "no-padding": st(text, bytes(16), 1),
        "two": st(two, b"\0\0\x80\x3fxyz"),
        "unaligned": st({"a": entry("U8", [1], 0, 1), "b": entry("F32", [1], 1, 5)}, b"x\0\0\x80\x3f"),
        "metadata": st({"__metadata__": {"format": "pt", "": "", "\u00e9\U0001f600": "x\ny"}, **i32}, bytes(16)),
        "escapes": st('{"\\u0061\\u00e9\\ud83d\\ude00\\n\\"\\\\\\/":{"dtype":"U8","shape":[1],'
                      '"data_offsets":[0,1]}}', b"x"),
        "no-tensors": st("{}"),
        "only-metadata": st({"__metadata__": {}}),
        "scalar": st({"s": entry("F32", [], 0, 4)}, bytes(4)),
        "empty-tensors": st({"a": entry("F32", [0], 0, 0), "b": entry("F64", [3, 0, 2], 0, 0)}),
        "empty-between": st({"a": entry("U8", [1], 0, 1), "b": entry("F64", [0], 1, 1),
                             "c": entry("U8", [1], 1, 2)}, b"xy"),
        "bools": st({"b": entry("BOOL", [2], 0, 2)}, b"\0\x01"),
        "nan": st({"n": entry("F32", [1], 0, 4)}, b"\xff\xff\xff\xff"),
        "every-dtype": st(every, bytes(at)),
        "rank9": st({"r": entry("U8", [1] * 9, 0, 1)}, b"x"),
        "leading-space": st(" \n" + text, bytes(16)),
        "fields-in-other-order": st('{"t":{"data_offsets":[0,1],"shape":[1],"dtype":"U8"}}', b"x"),
        "spaces": st('{ "t" : { "dtype" : "U8" , "shape" : [ 1 ] , "data_offsets" : [ 0 , 1 ] } }', b"x"),
        "empty-name": st({"": entry("U8", [1], 0, 1)}, b"x"),
    }

    def one(fields, data=b"x"):
        return st('{"t":{%s}}' % fields, data)

    u8 = '"dtype":"U8","shape":[1],"data_offsets":[0,1]'
    bad = {
        "nothing": b"",
        "seven-bytes": bytes(7),
        "length-0": bytes(8),
        "length-max": b"\xff" * 8 + b"{}",
        "length-over-limit": struct.pack("<Q", 100000001) + b"{}",
        "length-past-end": struct.pack("<Q", 3) + b"{}",
        "byte-ff": st(b"\xff", pad=1),
        "only-brace": st("{", pad=1),
        "data-more": st(text, bytes(17)),
        "data-cut": st(text, bytes(14)),
        "no-object": st("[]"),
        "number": st("1"),
        "null-entry": st('{"t":null}'),
        "equal-offsets": st({"t%d" % i: entry("F32", [2], 0, 8) for i in range(10)}, bytes(8)),
        "hole": st({"a": entry("U8", [1], 0, 1), "b": entry("U8", [1], 2, 3)}, b"abc"),
        "not-from-0": st({"a": entry("U8", [1], 1, 2)}, b"ab"),
        "overlap": st({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 1, 3)}, b"abc"),
        "end-before-begin": st({"a": entry("U8", [1], 1, 0)}, b""),
        "overflow": st({"a": entry("F32", [2**32, 2**32], 0, 0)}),
        "overflow-bits": st({"a": entry("F64", [2**60], 0, 0)}),
        "zero-hides-overflow": st({"a": entry("U8", [0, 2**62, 2**62], 0, 0)}),
        "size-2^63": st({"a": entry("U8", [2**63], 0, 0)}),
        "size-2^64": st({"a": entry("U8", [2**64], 0, 0)}),
        "terabyte": st({"a": entry("U8", [2**40], 0, 2**40)}),
        "half-byte": st({"a": entry("F4", [3], 0, 1)}, b"a"),
        "six-bits": st({"a": entry("F6_E2M3", [1], 0, 1)}, b"a"),
        "size": st({"a": entry("F32", [2], 0, 4)}, bytes(4)),
        "name-twice": st('{"t":{%s},"t":{%s}}' % (u8, u8.replace("0,1", "1,2")), b"xy"),
        "name-twice-escaped": st('{"t":{%s},"\\u0074":{%s}}' % (u8, u8.replace("0,1", "1,2")), b"xy"),
        "metadata-twice": st('{"__metadata__":{},"__metadata__":{}}'),
        "metadata-key-twice": st('{"__metadata__":{"a":"1","a":"2"}}'),
        "metadata-number": st('{"__metadata__":{"a":1}}'),
        "metadata-null": st('{"__metadata__":null}'),
        "field-twice": one('"dtype":"U8",' + u8),
        "field-unknown": one(u8 + ',"x":1'),
        "field-missing": one('"dtype":"U8","shape":[1]'),
        "dtype-unknown": one(u8.replace("U8", "U9")),
        "dtype-number": one('"dtype":8,"shape":[1],"data_offsets":[0,1]'),
        "shape-number": one('"dtype":"U8","shape":1,"data_offsets":[0,1]'),
        "shape-negative": one('"dtype":"U8","shape":[-1],"data_offsets":[0,1]'),
        "shape-fraction": one('"dtype":"U8","shape":[1.0],"data_offsets":[0,1]'),
        "shape-exponent": one('"dtype":"U8","shape":[1e0],"data_offsets":[0,1]'),
        "shape-leading-zero": one('"dtype":"U8","shape":[01],"data_offsets":[0,1]'),
        "shape-string": one('"dtype":"U8","shape":["1"],"data_offsets":[0,1]'),
        "rank33": st({"r": entry("U8", [1] * 33, 0, 1)}, b"x"),
        "offsets-1": one('"dtype":"U8","shape":[1],"data_offsets":[0]'),
        "offsets-3": one('"dtype":"U8","shape":[1],"data_offsets":[0,1,2]'),
        "comma-last": st('{"t":{%s},}' % u8, b"x"),
        "comma-first": st('{,"t":{%s}}' % u8, b"x"),
        "comma-missing": st('{"a":{%s}"t":{%s}}' % (u8, u8), b"x"),
        "colon-missing": st('{"t"{%s}}' % u8, b"x"),
        "after-object": st(text + "{}", bytes(16)),
        "nul-after": st(text.encode() + b"\0", bytes(16)),
        "nul-in-name": st('{"t\\u0000":{%s}}' % u8, b"x"),
        "control-in-name": st(b'{"t\x01":{%s}}' % u8.encode(), b"x"),
        "not-utf8": st(b'{"t\xc0\x80":{%s}}' % u8.encode(), b"x"),
        "surrogate-bytes": st(b'{"t\xed\xa0\x80":{%s}}' % u8.encode(), b"x"),
        "half-surrogate": st('{"\\ud83d":{%s}}' % u8, b"x"),
        "low-surrogate": st('{"\\ude00":{%s}}' % u8, b"x"),
        "surrogate-then-letter": st('{"\\ud83d\\u0061":{%s}}' % u8, b"x"),
        "escape-unknown": st('{"\\x41":{%s}}' % u8, b"x"),
        "escape-short": st('{"\\u12":{%s}}' % u8, b"x"),
        "string-open": st('{"t', b"x"),
        "string-backslash-last": st('{"t\\', b"x", 1),
        "byte-order-mark": st("\ufeff" + text, bytes(16)),
        "deep": st("[" * 5000),
        "deep-in-entry": st('{"t":{"dtype":"U8","shape":' + "[" * 1000),
    }
    return ok, bad


# -- CSV -------------------------------------------------------------------------------------------
def make_csv():
    row = b"name,age,city\nAnn,31,Rome\nBob,,Oslo\n"
    ok = {
        "plain": row,
        "byte-order-mark": b"\xef\xbb\xbf" + row,
        "crlf": row.replace(b"\n", b"\r\n"),
        "no-last-line-end": row[:-1],
        "no-header": b"1,2,3\n4,5,6\n7,8,9\n",
        "semicolon": row.replace(b",", b";"),
        "tab": row.replace(b",", b"\t"),
        "bar": row.replace(b",", b"|"),
        "one-column": b"x\n1\n2\n3\n",
        "one-line": b"a,b,c\n",
        "quoted": b'a,b\n"x,y","he said ""no"""\n"two\nlines",1\n',
        "quoted-empty": b'a,b\n"",1\n,2\n',
        "quoted-missing-word": b'a,b\n"NA",1\nNA,2\n',
        "quoted-at-end": b'a,b\n1,"x"',
        "missing": b"a,b\n?,1\nNaN,2\nNULL,3\nx,4\n",
        "blanks": b"a , b\n x ,  1\n y ,\t2 \n",
        "blank-lines": b"\n\na,b\n\n1,2\n\r\n3,4\n\n",
        "ragged": b"a,b\n1,2\n3\n4,5,6\n7,8\n",
        "stray": b'a,b\n"x"y,1\nz,2\n',
        "mixed": b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(40)) + b"x,1\n",
        "numbers": b"a\n1\n-1.5\n+2e3\n.5\n5.\n1E-300\n123456789012345678901234567890\n",
        "same-names": b"a,a,a (column 2),\n1,2,3,4\n",
        "utf8": "n\u00e4me,\U0001f600\n\u4e2d\u6587,1\n".encode(),
        "overflow": b"a\n1e999\n1\n2\n",
    }
    bad = {
        "empty": b"",
        "only-line-ends": b"\n\r\n\n",
        "only-mark": b"\xef\xbb\xbf",
        "nul": b"a,b\n1,\0\n",
        "nul-only": b"\0",
        "binary": b"\x93NUMPY\x01\0v\0",
        "latin1": b"name\nM\xfcller\n",
        "utf8-cut": b"name\n\xe4\xb8",
        "utf8-overlong": b"name\n\xc0\xaf\n",
        "utf8-surrogate": b"name\n\xed\xa0\x80\n",
        "utf16": "a,b\n1,2\n".encode("utf-16"),
        "quote-open": b'a,b\n"x,1\ny,2\n',
        "quote-open-header": b'"a,b\n1,2\n',
        "quote-open-escape": b'a\n"x""\n',
        "quote-open-last": b'a\n1\n"',
        "too-many-fields": b"," * 65536 + b"\n",
    }
    return ok, bad


# -- NPZ -------------------------------------------------------------------------------------------
def make_npz():
    s, d = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
    six = npy(head("<f4", "(2, 3)"), struct.pack("<6f", 0, 1, 2, 3, 4, 5))
    fortran = npy(head(">f4", "(2, 3)", "True"), struct.pack(">6f", 0, 1, 2, 3, 4, 5))
    flags = npy(head("|b1", "(2,)"), b"\0\1")
    number = npy(head("<i8", "()"), struct.pack("<q", -7))
    none = npy(head("<f8", "(0, 5)"))
    one = archive(("x.npy", six, s))
    packed = archive(("x.npy", six, d))
    inside = one.index(b"\x93NUMPY")
    ok = {
        "one": one,
        "none": archive(),
        "two": archive(("x.npy", six, s), ("y.npy", flags, s)),
        "types": archive(("a.npy", fortran, s), ("b.npy", number, s), ("c.npy", none, s)),
        "folders": archive(("layer/kernel.npy", six, s), ("layer/bias.npy", number, s)),
        "utf8": archive(("gr\u00f6\u00dfe.npy", number, s)),
        "comment": archive(("x.npy", number, s), comment=b"a comment"),
        "no-name": archive((".npy", number, s)),
        "deflate": packed,
        "deflate-and-stored": archive(("x.npy", six, d), ("y.npy", six, s)),
    }
    bad = {
        "nothing": b"",
        "npy": six,
        "text": archive(("readme.txt", b"hello", s)),
        "text-beside": archive(("x.npy", six, s), ("config.json", b"{}", s)),
        "folder": archive(("a.npy/", b"", s)),
        "ending": archive(("x.NPY", six, s)),
        "twice": archive(("x.npy", six, s), ("y.npy", six, s)).replace(b"y.npy", b"x.npy"),
        "outside": one.replace(b"x.npy", b"/.npy"),
        "empty-member": archive(("x.npy", b"", s)),
        "cut-member": archive(("x.npy", six[:-1], s)),
        "long-member": archive(("x.npy", six + b"\0", s)),
        "second-cut": archive(("x.npy", six, s), ("y.npy", six[:40], s)),
        "object": archive(("x.npy", npy(head("|O", "(1,)"), b"\x80\x04N."), s)),
        "bool": archive(("x.npy", npy(head("|b1", "(1,)"), b"\2"), s)),
        "terabyte": archive(("x.npy", npy(head("<f4", "(1048576, 262144)"), b"1234"), s)),
        "overflow": archive(("x.npy", npy(head("<f4", "(4294967296, 4294967296)"), b""), s)),
        "crc": patch(one, inside + len(six) - 1, b"\xff"),
        "cut": one[:-1],
        "nested": archive(("x.npy", one, s)),
        "deflate-cut-member": archive(("x.npy", six[:-1], d)),
        "deflate-crc": patch(patch(packed, 14, u(1, 4)), packed.index(b"PK\1\2") + 16, u(1, 4)),
    }
    return ok, bad


for format, make in (("idx", make_idx), ("npy", make_npy), ("npz", make_npz),
                     ("safetensors", make_safetensors), ("csv", make_csv)):
    folder = os.path.join(HERE, format)
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if name.startswith(("ok-", "bad-")):
            os.remove(os.path.join(folder, name))
    ok, bad = make()
    for name, data in ok.items():
        put(format, "ok-" + name, data)
    for name, data in bad.items():
        put(format, "bad-" + name, data)
    print("%s: %d ok, %d bad" % (format, len(ok), len(bad)))
