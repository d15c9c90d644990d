#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Writes fuzz/corpus/png, jpeg, pnm and bmp: small files of every feature (ok-*) and files that lie or
# are damaged (bad-*), one for each rule of the readers.  The test format/image_corpus demands that
# the first are accepted and the second refused.  JPEG needs Pillow and is left alone without it.
import io
import os
import struct
import zlib

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def write(folder, ok, bad):
    path = os.path.join(HERE, folder)
    os.makedirs(path, exist_ok=True)
    for kind, files in ("ok", ok), ("bad", bad):
        for name, data in files.items():
            with open(os.path.join(path, "%s-%s" % (kind, name)), "wb") as f:
                f.write(data)


# -- PNM -------------------------------------------------------------------------------------------
def pnm():
    ok = {
        "p1": b"P1\n# bits\n3 2\n101\n0 1 0",
        "p2": b"P2 3 2 15 0 1 2 13 14 15",
        "p3": b"P3\n1 2\n255\n1 2 3\n250 251 252\n",
        "p4": b"P4\n9 2\n\xaa\x80\x55\x00",
        "p5": b"P5\n2 2\n255\n\x00\x7f\x80\xff",
        "p5-wide": b"P5\n2 1\n65535\n\x12\x34\xff\xff",
        "p5-odd": b"P5\n2 1\n1000\n\x03\xe8\x00\x01",
        "p6": b"P6\n1 2\n255\n\x01\x02\x03\xfd\xfe\xff",
        "p6-small": b"P6 1 1 7 \x00\x03\x07",
        "comment": b"P5#x\n#y\n2#z\n1\n255\n\x01\x02",
        "trailing-line": b"P5\n1 1\n255\n\x09\n",
    }
    bad = {
        "empty": b"",
        "magic": b"P7\n1 1\n255\n\x00",
        "no-width": b"P5\n",
        "no-height": b"P5\n3",
        "no-largest": b"P5\n3 1\n",
        "zero-width": b"P5\n0 1\n255\n",
        "zero-height": b"P5\n1 0\n255\n",
        "zero-largest": b"P5\n1 1\n0\n\x00",
        "huge-largest": b"P5\n1 1\n65536\n\x00\x00",
        "negative": b"P5\n-1 1\n255\n\x00",
        "huge": b"P6\n65000 65000\n255\n\x00",
        "overflow": b"P6\n99999999999999999999 1\n255\n\x00",
        "cut": b"P6\n2 2\n255\n\x00\x01\x02",
        "cut-bits": b"P4\n9 2\n\xaa\x80\x55",
        "cut-plain": b"P2 2 2 9 1 2 3",
        "too-large": b"P2 1 1 9 10",
        "too-large-raw": b"P5\n1 1\n7\n\x08",
        "not-a-number": b"P2 1 1 9 x",
        "not-a-bit": b"P1 1 1 2",
        "more": b"P5\n1 1\n255\n\x01\x02",
        "no-blank": b"P5\n1 1\n255",
    }
    write("pnm", ok, bad)


# -- BMP -------------------------------------------------------------------------------------------
def bmp_head(width, height, bits, compression=0, colors=0, size=40, extra=b"", palette=b"", offset=None):
    head = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, 0, 0, 0, colors, 0)
    head += extra + palette
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + len(head) if offset is None else offset) + head


def bmp():
    colors = b"".join(struct.pack("<BBBB", 3 * i, 2 * i, i, 0) for i in range(16))
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    alpha = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    ok = {
        "1": bmp_head(9, 2, 1, palette=colors[:8]) + b"\xaa\x80\0\0\x55\0\0\0",
        "4": bmp_head(3, 2, 4, palette=colors) + b"\x01\x20\0\0\xf3\x40\0\0",
        "8": bmp_head(3, 2, 8, colors=16, palette=colors) + b"\0\1\2\0\3\4\5\0",
        "16": bmp_head(2, 1, 16) + b"\xff\x7f\x1f\x00",
        "16-masks": bmp_head(2, 1, 16, 3, extra=masks) + b"\xff\xff\x1f\x00",
        "24": bmp_head(1, 2, 24) + b"\1\2\3\0\4\5\6\0",
        "24-down": bmp_head(1, -2, 24) + b"\1\2\3\0\4\5\6\0",
        "32": bmp_head(1, 1, 32) + b"\1\2\3\0",
        "32-masks": bmp_head(1, 1, 32, 3, extra=struct.pack("<III", 0xFF, 0xFF00, 0xFF0000)) + b"\1\2\3\0",
        "32-alpha": bmp_head(1, 1, 32, 3, size=56, extra=alpha) + b"\1\2\3\x80",
        "rle8": bmp_head(5, 2, 8, 1, colors=16, palette=colors) + b"\3\1\0\0\0\3\1\2\3\0\0\2\1\0\0\1"[:14] + b"\0\1",
        "rle4": bmp_head(5, 2, 4, 2, palette=colors) + b"\5\x12\0\0\0\3\x34\x50\0\1",
        "rle8-jump": bmp_head(4, 2, 8, 1, colors=16, palette=colors) + b"\0\2\1\1\2\7\0\1",
        "os2": b"BM" + struct.pack("<IHHIIHHHH", 0, 0, 0, 26 + 6, 12, 2, 1, 1, 1) + b"\0\0\0\xff\xff\xff\x40\0\0\0",
    }
    bad = {
        "empty-head": b"BM",
        "head-cut": ok["24"][:30],
        "head-size": ok["24"][:14] + struct.pack("<I", 13) + ok["24"][18:],
        "head-huge": ok["24"][:14] + struct.pack("<I", 0xFFFFFFFF) + ok["24"][18:],
        "bits": bmp_head(1, 1, 2) + b"\0\0\0\0",
        "bits-0": bmp_head(1, 1, 0) + b"\0\0\0\0",
        "compression": bmp_head(1, 1, 24, 4) + b"\0\0\0\0",
        "width-0": bmp_head(0, 1, 24) + b"\0\0\0\0",
        "width-negative": bmp_head(-1, 1, 24) + b"\0\0\0\0",
        "height-0": bmp_head(1, 0, 24) + b"\0\0\0\0",
        "height-least": bmp_head(1, -(2**31), 24) + b"\0\0\0\0",
        "huge": bmp_head(60000, 60000, 24) + b"\0\0\0\0",
        "cut": ok["24"][:-1],
        "offset-early": bmp_head(1, 1, 24, offset=14) + b"\0\0\0\0",
        "offset-late": bmp_head(1, 1, 24, offset=10**6) + b"\0\0\0\0",
        "palette-cut": bmp_head(1, 1, 8, palette=colors, offset=54) + b"\0",
        "mask-holes": bmp_head(1, 1, 16, 3, extra=struct.pack("<III", 0xF0F0, 0x7E0, 0x1F)) + b"\0\0\0\0",
        "mask-none": bmp_head(1, 1, 16, 3, extra=struct.pack("<III", 0, 0x7E0, 0x1F)) + b"\0\0\0\0",
        "masks-24": bmp_head(1, 1, 24, 3, extra=masks) + b"\0\0\0\0",
        "masks-cut": bmp_head(1, 1, 16, 3, offset=54)[:54] + b"\0",
        "rle-down": bmp_head(5, -2, 8, 1, colors=16, palette=colors) + b"\5\1\0\1",
        "rle-bits": bmp_head(5, 2, 4, 1, palette=colors) + b"\5\1\0\1",
        "rle-past": bmp_head(4, 1, 8, 1, colors=16, palette=colors) + b"\5\1\0\1",
        "rle-below": bmp_head(4, 1, 8, 1, colors=16, palette=colors) + b"\4\1\0\0\1\1\0\1",
        "rle-no-end": bmp_head(4, 1, 8, 1, colors=16, palette=colors) + b"\4\1",
        "rle-cut": bmp_head(8, 1, 8, 1, colors=16, palette=colors) + b"\0\7\1\2",
    }
    write("bmp", ok, bad)


# -- PNG -------------------------------------------------------------------------------------------
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


MAGIC = b"\x89PNG\r\n\x1a\n"


def png(width, height, bits, color, raw, before=b"", interlaced=0, after=b"", end=True):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlaced))
    data = MAGIC + head + before + chunk(b"IDAT", zlib.compress(raw, 9)) + after
    return data + (chunk(b"IEND", b"") if end else b"")


def pngs():
    palette = chunk(b"PLTE", bytes(range(12)))
    exif = chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0")
    rgb = b"\0\1\2\3\4\5\6" + b"\1\1\2\3\4\5\6"
    ok = {
        "grey1": png(9, 1, 1, 0, b"\0\xaa\x80"),
        "grey2": png(3, 1, 2, 0, b"\0\xe4"),
        "grey4": png(3, 1, 4, 0, b"\0\x1f\x80"),
        "grey8": png(2, 2, 8, 0, b"\0\1\2\2\3\4"),
        "grey16": png(1, 2, 16, 0, b"\0\x12\x34\0\xff\xff"),
        "rgb8": png(2, 2, 8, 2, rgb),
        "rgb16": png(1, 1, 16, 2, b"\0\1\2\3\4\5\6"),
        "palette": png(4, 1, 8, 3, b"\0\0\1\2\3", palette),
        "palette2-alpha": png(4, 1, 2, 3, b"\0\x1b", palette + chunk(b"tRNS", b"\0\x80")),
        "grey-alpha": png(1, 1, 8, 4, b"\0\7\x80"),
        "rgba": png(1, 1, 8, 6, b"\0\1\2\3\4"),
        "rgb-key": png(2, 1, 8, 2, b"\0\1\2\3\4\5\6", chunk(b"tRNS", b"\0\1\0\2\0\3")),
        "interlaced": png(2, 2, 8, 0, b"\0\1" + b"\0\2" + b"\0\3\4", interlaced=1),
        "exif": png(2, 1, 8, 2, b"\0\1\2\3\4\5\6", exif),
        "text": png(1, 1, 8, 0, b"\0\1", chunk(b"tEXt", b"a\0b") + chunk(b"zTXt", b"a\0\0x"), after=chunk(b"tIME", b"\x07\xe0\1\1\0\0\0")),
    }
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    good = ok["rgb8"]
    bad = {
        "magic": b"\x89PNG\r\n\x1a\r" + good[8:],
        "magic-only": MAGIC,
        "head-cut": good[:20],
        "head-crc": good[:29] + b"\0\0\0\0" + good[33:],
        "no-idat": MAGIC + head + chunk(b"IEND", b""),
        "no-end": png(1, 1, 8, 0, b"\0\1", end=False),
        "cut": good[:-20],
        "width-0": png(0, 1, 8, 0, b"\0"),
        "height-0": png(1, 0, 8, 0, b"\0"),
        "bits-3": png(1, 1, 3, 0, b"\0\1"),
        "bits-16-palette": png(1, 1, 16, 3, b"\0\1\2", palette),
        "color-1": png(1, 1, 8, 1, b"\0\1"),
        "interlace-2": png(1, 1, 8, 0, b"\0\1", interlaced=2),
        "no-palette": png(1, 1, 8, 3, b"\0\0"),
        "huge": png(60000, 60000, 8, 2, b"\0"),
        "wide": png(2**31 - 1, 1, 8, 2, b"\0"),
        "too-wide": png(2**31, 1, 8, 2, b"\0"),
        "rows-missing": png(2, 3, 8, 2, rgb),
        "filter": png(1, 1, 8, 0, b"\7\1"),
        "idat-crc": good[:-16] + b"\0\0\0\0" + good[-12:],
        "idat-noise": MAGIC + head + chunk(b"IDAT", b"noise") + chunk(b"IEND", b""),
        "critical": png(1, 1, 8, 0, b"\0\1", chunk(b"ABCD", b"")),
        "cgbi": MAGIC + chunk(b"CgBI", b"\x50\0\x20\2") + png(1, 1, 8, 6, b"\0\1\2\3\4")[8:],
        "chunk-huge": MAGIC + head + struct.pack(">I4s", 0x7FFFFFFF, b"IDAT"),
    }
    write("png", ok, bad)


# -- JPEG ------------------------------------------------------------------------------------------
def jpeg():
    try:
        from PIL import Image
    except ImportError:
        print("no Pillow: the corpus of JPEG stays as it is")
        return
    w, h = 19, 11
    image = Image.frombytes("RGB", (w, h), bytes((x * y * (c + 1)) % 256 for y in range(h) for x in range(w) for c in range(3)))

    def save(image=image, **options):
        b = io.BytesIO()
        image.save(b, "JPEG", **options)
        return b.getvalue()

    exif = b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"
    base = save(quality=50)
    ok = {
        "half": base,
        "full": save(quality=90, subsampling=0),
        "other": save(quality=50, subsampling=1),
        "grey": save(image.convert("L"), quality=50),
        "cmyk": save(image.convert("CMYK"), quality=50),
        "progressive": save(quality=50, progressive=True),
        "restart": save(quality=50, restart_marker_blocks=1),
        "exif": save(quality=50, exif=exif),
        "exif-noise": save(quality=50, exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        "small": save(image.resize((1, 1))),
        "trailing": base + b"more",
    }
    sof = base.index(b"\xff\xc0")
    sos = base.index(b"\xff\xda")
    dqt = base.index(b"\xff\xdb")

    def patch(at, data, of=base):
        return of[:at] + data + of[at + len(data) :]

    bad = {
        "start": base[:2],
        "head": base[:3],
        "cut": base[:-30],
        "no-end": base[:-2],
        "head-cut": base[: sof + 6],
        "no-sof": base[:sof] + base[sof + 2 + struct.unpack(">H", base[sof + 2 : sof + 4])[0] :],
        "no-quant": base[:dqt] + base[sof:],
        "bits-12": patch(sof + 4, b"\x0c"),
        "height-0": patch(sof + 5, b"\0\0"),
        "width-0": patch(sof + 7, b"\0\0"),
        "huge": patch(sof + 5, b"\xff\x00\xff\x00"),
        "components-0": patch(sof + 9, b"\0"),
        "components-9": patch(sof + 9, b"\x09"),
        "sampling": patch(sof + 11, b"\x55"),
        "lossless": patch(sof + 1, b"\xc3"),
        "sos-component": patch(sos + 5, b"\x09"),
        "noise": base[: sos + 14] + b"\x5a" * 40 + b"\xff\xd9",
        "length": patch(sof + 2, b"\xff\xff"),
    }
    write("jpeg", ok, bad)


pnm()
bmp()
pngs()
jpeg()
