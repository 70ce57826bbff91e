"""Makes files of pictures byte by byte, and computes their colours by textbook formulas.

Nothing here uses the code that is tested; where an encoder is needed, it is another one than the decoder.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

PNG_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
# Media-relative primaries (D50) that the profiles of these spaces contain, in XYZ.
SRGB_XYZ = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
ADOBE_XYZ = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
P3_XYZ = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
D50 = (0.9642, 1.0, 0.8249)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(levels: Array, *chunks: bytes, bits: int = 8, kind: int | None = None) -> bytes:
    """Return a PNG file of height x width x channels levels; every second row is stored as a difference."""
    levels = np.atleast_3d(levels)
    height, width, channels = levels.shape
    rows, before = b"", None
    for y, row in enumerate(levels):
        flat = pack(row, bits)
        if before is None or y % 2 == 0:
            rows += b"\0" + flat.tobytes()
        else:
            rows += b"\2" + (flat - before).tobytes()  # uint8, so that it wraps
        before = flat
    kind = PNG_TYPES[channels] if kind is None else kind
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + body


def pack(row: Array, bits: int) -> NDArray[np.uint8]:
    if bits == 16:
        return np.frombuffer(row.astype(">u2").tobytes(), np.uint8)
    if bits == 8:
        return row.astype(np.uint8).ravel()
    single = np.unpackbits(row.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - bits :]
    return np.packbits(single.ravel())


def gama(gamma: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(*values: float) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


def exif_orientation(orientation: int) -> bytes:
    """Return EXIF data (TIFF, big-endian) that say nothing but the orientation."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def exif_adobe_rgb() -> bytes:
    """Return EXIF data of a camera set to Adobe RGB: interoperability index R03."""
    first = struct.pack(">HHHIII", 1, 0x8769, 4, 1, 26, 0)
    second = struct.pack(">HHHIII", 1, 0xA005, 4, 1, 44, 0)
    third = struct.pack(">HHHI4sI", 1, 0x0001, 2, 4, b"R03\0", 0)
    return b"MM\0*" + struct.pack(">I", 8) + first + second + third


def icc(space: str, gamma: float, colorants: tuple[Any, ...] = SRGB_XYZ, name: str = "for tests") -> bytes:
    """Return an ICC profile (version 2) with a power as tone curve."""
    text = name.encode() + b"\0"
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": xyz_tag(D50),
    }
    if space == "GRAY":
        tags[b"kTRC"] = curve
    for letter, colorant in zip("rgb" if space == "RGB " else "", colorants, strict=False):
        tags[f"{letter}XYZ".encode()] = xyz_tag(colorant)
        tags[f"{letter}TRC".encode()] = curve
    return assemble(space, b"mntr", b"XYZ ", tags)


def icc_cmyk(corners: Array) -> bytes:
    """Return a profile for CMYK with the CIELAB colours of the 16 combinations of full and no ink."""
    straight = bytes(range(256))
    codes = np.stack([corners[:, 0] * 2.55, corners[:, 1] + 128, corners[:, 2] + 128], 1)
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0])
    table += b"".join(struct.pack(">i", 65536 * (i % 4 == 0)) for i in range(9))
    table += straight * 4 + np.rint(codes).astype(np.uint8).tobytes() + straight * 3
    text = b"inks for tests\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": xyz_tag(D50),
        b"A2B0": table,
    }
    return assemble("CMYK", b"prtr", b"Lab ", tags)


def xyz_tag(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def assemble(space: str, kind: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s", 128 + len(table) + len(body), b"none", 0x02400000, kind, space.encode(), connection
    )
    header += bytes(12) + b"acsp" + bytes(28) + xyz_tag(D50)[8:]
    return header.ljust(128, b"\0") + table + body


def srgb_encoded(light: Array) -> NDArray[np.float64]:
    """Return linear light as sRGB values (IEC 61966-2-1)."""
    light = np.clip(light, 0.0, 1.0)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def srgb_decoded(values: Array) -> NDArray[np.float64]:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def from_colorants(light: Array, colorants: tuple[Any, ...]) -> NDArray[np.float64]:
    """Return the sRGB values of light in other primaries, both given in XYZ under the same white."""
    to_srgb = np.linalg.inv(np.array(SRGB_XYZ).T) @ np.array(colorants).T
    return srgb_encoded(light @ to_srgb.T)


def from_lab(lab: Array) -> NDArray[np.float64]:
    """Return the sRGB values of CIELAB colours under D50 (CIE 15)."""
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], -1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * np.array(D50)
    return srgb_encoded(xyz @ np.linalg.inv(np.array(SRGB_XYZ).T).T)


def bmp(levels: Array) -> bytes:
    """Return a BMP file of 24 bits: from the bottom up, blue first, rows of whole four bytes."""
    height, width = levels.shape[:2]
    row = -(3 * width) % 4
    body = b"".join(line[:, ::-1].tobytes() + bytes(row) for line in levels[::-1])
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + header + body


def tiff(levels: Array, *, order: str = "<", photometric: int | None = None, **tags: Any) -> bytes:
    """Return an uncompressed TIFF file of one strip, written by hand; `tags` are numbers by tag."""
    levels = np.atleast_3d(levels)
    height, width, channels = levels.shape
    kind = {"u": 1, "i": 2, "f": 3}[levels.dtype.kind]
    body = levels.astype(levels.dtype.newbyteorder(order)).tobytes()
    body += bytes(len(body) % 2)
    bits = struct.pack(f"{order}{channels}H", *[8 * levels.dtype.itemsize] * channels)
    place = 8 + len(body)
    entries = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, channels, place if channels > 2 else bits),
        259: (3, 1, 1),
        262: (3, 1, (2 if channels > 2 else 1) if photometric is None else photometric),
        273: (4, 1, 8),
        277: (3, 1, channels),
        278: (4, 1, height),
        279: (4, 1, height * width * channels * levels.dtype.itemsize),
        339: (3, 1, kind),
    }
    entries |= {int(tag[1:]): (3, 1, value) for tag, value in tags.items()}
    start = place + len(bits)
    listed = struct.pack(order + "H", len(entries))
    for tag, (form, count, value) in sorted(entries.items()):
        listed += struct.pack(order + "HHI", tag, form, count) + field(value, 4 if count > 1 else form, order)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, start)
    return head + body + bits + listed + bytes(4)


def field(value: int | bytes, form: int, order: str) -> bytes:
    if isinstance(value, bytes):
        return value.ljust(4, b"\0")
    return struct.pack(order + ("H" if form == 3 else "I"), value).ljust(4, b"\0")


def npy(array: Array) -> bytes:
    """Return a .npy file of version 1.0, written by hand."""
    text = f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {array.shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return (
        b"\x93NUMPY\1\0"
        + struct.pack("<H", len(text))
        + text.encode()
        + np.ascontiguousarray(array).tobytes()
    )


def saved(picture: Any, kind: str, **options: Any) -> bytes:
    """Return the file that Pillow writes."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
