"""Malformed and unusual input files as data: what each of them holds and what C5 and F2 to F12 say about it.

Every kind of file has one clean example. An entry is either refused (status 9 and one line), or accepted, and
then gives the float image of the clean example.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Special(Enum):
    """Things in the place of a file."""

    FOLDER = "folder"
    PIPE = "pipe that nobody writes to"
    DEVICE = "link to a device that never ends"
    LOCKED = "file without permissions"
    HUGE = "file of 4 GiB of NUL bytes, most of them not stored"


@dataclass(frozen=True)
class Entry:
    """One input: its kind, a name, the rule, the bytes, and what has to happen.

    ``historical`` names the reading defect for which the historical program does something else:
    it accepts what is refused, or gets another image from what is accepted.
    """

    kind: str
    name: str
    rule: str
    content: bytes | Special
    accepted: bool = False
    historical: str = ""

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}".replace(" ", "_")


# ---- the clean files, and the command lines that read them ----------------------------------------------

CUBE = [(0, k, l) for k in (-1, 0, 1) for l in (-1, 0, 1)]
AMPLITUDES = [float(100 + 17 * k - 31 * l) + 0.5 for _, k, l in CUBE]
TABLE = struct.pack(
    "<32d",
    *(
        AMPLITUDES[3 * k + l] if h == 0 and k < 3 and l < 3 else 0.0
        for h in range(2)
        for k in range(4)
        for l in range(4)
    ),
)
HEADER = b"""{
HEADER_BYTES=512;
DIM=2;
BYTE_ORDER=little_endian;
TYPE=unsigned_short;
SIZE1=4;
SIZE2=4;
PIXEL_SIZE=10;
DISTANCE=100;
WAVELENGTH=1.1;
BEAM_CENTER_X=21;
BEAM_CENTER_Y=19;
PHI=3;
OSC_START=3;
OSC_RANGE=2;
}\f"""
PIXELS = struct.pack("<16H", *(0 if i in (1, 6, 11) else 40 + i for i in range(16)))


def image_file(header: bytes, pixels: bytes = PIXELS, length: int = 512) -> bytes:
    """An SMV file: header text, blanks up to its length, pixels."""
    return header.ljust(length) + pixels


CLEAN: Mapping[str, bytes] = {
    "hkl": "".join(f"{h} {k} {l} {F}\n" for (h, k, l), F in zip(CUBE, AMPLITUDES, strict=True)).encode(),
    "dump": b"0 0 -1 1 -1 1\n\f" + TABLE,
    "mat": b"0.08 0.01 0.002\n-0.01 0.07 0.003\n0.004 0.005 0.06\n",
    "sourcefile": b"-10 0.1 0 1 1.0e-10\n-10 -0.1 0.05 1 1.1e-10\n-10 0 0 1 1.05e-10\n",
    "stol": b"0 2.57\n0.1 2.6\n0.2 2.5\n",
    "img": image_file(HEADER),
    "mask": image_file(HEADER),
}

CRYSTAL = "-default_F 3 -N 5 -oversample 1 -nonoise -nopgm"
CELL = "-cell 10 12 14 85 95 100"
FRAME = "-detpixels 4 -pixel 10 -distance 100"
BASE: Mapping[str, str] = {
    "hkl": f"{CRYSTAL} {CELL} {FRAME} -dump written.bin",
    "dump": f"{CRYSTAL} {CELL} {FRAME}",
    "mat": f"{CRYSTAL} {FRAME}",
    "sourcefile": f"{CRYSTAL} {CELL} {FRAME}",
    "stol": f"{CRYSTAL} {CELL} {FRAME}",
    "img": f"{CRYSTAL} {CELL}",
    "mask": f"{CRYSTAL} {CELL} -detpixels 4",
}
KINDS = tuple(CLEAN)
GOOD_FILES: Mapping[str, bytes] = {f"good.{kind}": CLEAN[kind] for kind in KINDS}


def options(kind: str, path: str) -> list[str]:
    """The command line that reads the file ``path`` of a kind."""
    return [*BASE[kind].split(), f"-{kind}", path]


def place(content: bytes | Special, path: Path) -> None:
    """Make the input at ``path``."""
    match content:
        case bytes():
            path.write_bytes(content)
        case Special.FOLDER:
            path.mkdir()
        case Special.PIPE:
            os.mkfifo(path)
        case Special.DEVICE:
            path.symlink_to("/dev/zero")
        case Special.LOCKED:
            path.write_bytes(b"0")
            path.chmod(0)
        case Special.HUGE:
            path.touch()
            os.truncate(path, 1 << 32)


def swapped(kind: str, old: bytes, new: bytes) -> bytes:
    """The clean file of a kind with the first occurrence of ``old`` replaced."""
    before, found, after = CLEAN[kind].partition(old)
    assert found, (kind, old)
    return before + new + after


def with_header(old: bytes, new: bytes) -> bytes:
    """The clean image with a change in its header, pixels in place."""
    assert old in HEADER, old
    return image_file(HEADER.replace(old, new, 1))


# ---- every kind -----------------------------------------------------------------------------------------

NOISE = random.Random(1).randbytes(4096)
MEGABYTE = 1 << 20
NO_FILES: Mapping[str, bytes | Special] = {
    "empty": b"",
    "folder": Special.FOLDER,
    "pipe": Special.PIPE,
    "device": Special.DEVICE,
    "locked": Special.LOCKED,
    "huge": Special.HUGE,
    "one NUL": b"\0",
    "NULs": bytes(4096),
    "noise": NOISE,
    "blanks": b" " * 4096,
    "line ends": b"\n\r\n\n\r" * 300,
    "one letter": b"x",
    "a word": b"nothing to see here\n" * 40,
    "a long line of letters": b"x" * MEGABYTE,
    "a long line of digits": b"7" * MEGABYTE,
    "compressed": b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + NOISE,
}


def _no_files(kind: str) -> dict[str, bytes | Special]:
    """What is not a file of any kind; a cache without permission counts as absent (C4.17)."""
    return {name: content for name, content in NO_FILES.items() if (kind, name) != ("dump", "locked")}


# ---- text files -----------------------------------------------------------------------------------------

TEXT_KINDS = ("hkl", "mat", "sourcefile", "stol")
# a number of the clean file, and what may stand in its place
FIRST_NUMBER = {"hkl": b"114.5", "mat": b"0.08", "sourcefile": b"0.1", "stol": b"2.57"}
BAD_NUMBERS: Mapping[str, bytes] = {
    "nan": b"nan",
    "inf": b"inf",
    "minus infinity": b"-Infinity",
    "overflow": b"1e999",
    "negative overflow": b"-9e308",
    "overflow in digits": b"9" * 400,
    "hexadecimal": b"0x1p4",
    "Fortran exponent": b"1D2",
    "underscore": b"1_0",
    "exponent without digits": b"1e",
    "exponent with a sign only": b"1e+",
    "fraction in the exponent": b"1e2.5",
    "two points": b"1.2.3",
    "two signs": b"--1",
    "sign only": b"-",
    "point only": b".",
    "sign after the number": b"1-",
    "letter": b"x",
    "quotes": b"'1'",
    "percent": b"%s%n",
    "NUL inside": b"1\x000",
    "NUL after": b"1\0",
    "control character": b"1\x1b[2J",
    "Latin-1": b"1\xa0",
    "UTF-8 blank": "1\u00a0".encode(),
    "UTF-8 digit": "\uff11".encode(),
    "broken UTF-8": b"\xc3\x28\xff",
}


def _text_refused(kind: str) -> dict[str, bytes]:
    """Bad numbers, and text in other encodings."""
    clean = CLEAN[kind]
    entries = {name: swapped(kind, FIRST_NUMBER[kind], bad) for name, bad in BAD_NUMBERS.items()}
    entries |= {
        "NUL first": b"\0" + clean,
        "NUL between lines": clean.replace(b"\n", b"\n\0\n", 1),
        "UTF-16": clean.decode().encode("utf-16"),
        "UTF-32": clean.decode().encode("utf-32"),
        "mark of UTF-16 only": b"\xff\xfe" + clean,
        "half a mark of UTF-8": b"\xef\xbb" + clean,
        "mark of UTF-8 twice": b"\xef\xbb\xbf\xef\xbb\xbf" + clean,
        "mark of UTF-8 only": b"\xef\xbb\xbf",
        "mark of UTF-8 after the start": clean.replace(b"\n", b"\n\xef\xbb\xbf", 1),
        "line ends of Unicode": clean.decode().replace("\n", "\u2028").encode(),
        "line ends spelled out": clean.replace(b"\n", b"\\n"),
    }
    return entries


def _text_accepted(kind: str) -> dict[str, bytes]:
    """White space, line ends and byte-order marks that change nothing."""
    clean = CLEAN[kind]
    return {
        "clean": clean,
        "mark of UTF-8": b"\xef\xbb\xbf" + clean,
        "line ends of DOS": clean.replace(b"\n", b"\r\n"),
        "line ends of DOS after a mark": b"\xef\xbb\xbf" + clean.replace(b"\n", b"\r\n"),
        "no last line end": clean.removesuffix(b"\n"),
        "many last line ends": clean + b"\n\r\n\n \t\n",
        "empty lines": b"\n \n\t\n" + clean.replace(b"\n", b"\n\n"),
        "tabs": clean.replace(b" ", b"\t"),
        "wide": b"   " + clean.replace(b" ", b" \t  ").replace(b"\n", b"  \n  "),
        "vertical tabs and form feeds": clean.replace(b" ", b"\v\f "),
        "a megabyte of blanks first": b" " * MEGABYTE + clean,
        "a megabyte of line ends first": b"\n" * MEGABYTE + clean,
        "a megabyte of blanks inside": clean.replace(b" ", b" " * MEGABYTE, 1),
        "a megabyte of blanks last": clean + b" " * MEGABYTE,
        "exponent": swapped(kind, FIRST_NUMBER[kind], FIRST_NUMBER[kind] + b"E+00"),
        "plus sign": swapped(kind, FIRST_NUMBER[kind], b"+" + FIRST_NUMBER[kind]),
        "leading zeros": swapped(kind, FIRST_NUMBER[kind], b"000" + FIRST_NUMBER[kind]),
        "a thousand zeros": swapped(kind, FIRST_NUMBER[kind], FIRST_NUMBER[kind] + b"0" * 1000),
    }


# ---- structure-factor list (F2) -------------------------------------------------------------------------

LIST_REFUSED: Mapping[str, bytes] = {
    "names of columns": b"h k l F\n" + CLEAN["hkl"],
    "comments only": b"# h k l F\n#\n",
    "five columns, line ends of Macintosh": CLEAN["hkl"].replace(b"\n", b" 1\r"),
    "three columns": b"0 0 1\n" * 9,
    "five columns": CLEAN["hkl"].replace(b"\n", b" 1\n"),
    "record on two lines": swapped("hkl", b"-1 114.5", b"-1\n114.5"),
    "cut inside a record": CLEAN["hkl"][:-8],
    "comment after a record": swapped("hkl", b"114.5", b"114.5 # strong"),
    "decimal comma": swapped("hkl", b"114.5", b"114,5"),
    "columns parted by commas": CLEAN["hkl"].replace(b" ", b","),
    "columns parted by semicolons": CLEAN["hkl"].replace(b" ", b";"),
    "fraction as an index": swapped("hkl", b"0 -1", b"0 -1.5"),
    "nearly an integer as an index": swapped("hkl", b"0 -1", b"0 -1.0000000000000000001"),
    "exponent in an index": swapped("hkl", b"0 -1", b"0 -1e0"),
    "index 2^31": swapped("hkl", b"0 -1", b"2147483648 -1"),
    "index -2^31 - 1": swapped("hkl", b"0 -1", b"-2147483649 -1"),
    "index 2^32": swapped("hkl", b"0 -1", b"4294967296 -1"),
    "index 2^64": swapped("hkl", b"0 -1", b"18446744073709551616 -1"),
    "index of a thousand digits": swapped("hkl", b"0 -1", b"1" * 1000 + b" -1"),
    "index NaN": swapped("hkl", b"0 -1", b"nan -1"),
    "box of 2^96 entries": b"-2147483647 -2147483647 -2147483647 1\n2147483647 2147483647 2147483647 1\n",
    "box of 10^15 entries": b"0 0 0 1\n100000 100000 100000 1\n",
    "box of 2^32 entries along one axis": b"-2147483647 0 0 1\n2147483647 0 0 1\n",
    "end of file of DOS": CLEAN["hkl"] + b"\x1a",
    "JSON": b"[[0, 0, 0, 100.0], [1, 0, 0, 50.0]]\n",
}
LIST_ACCEPTED: Mapping[str, bytes] = {
    "line ends of Macintosh after a comment": b"# h k l F\r" + CLEAN["hkl"].replace(b"\n", b"\r"),
    "line ends of Macintosh": CLEAN["hkl"].replace(b"\n", b"\r"),
    "comments": b"# h k l F\n" + CLEAN["hkl"].replace(b"\n", b"\n  # strong\n"),
    "comment of a megabyte": b"#" * MEGABYTE + b"\n" + CLEAN["hkl"],
    "comment of noise": b"#" + NOISE.replace(b"\n", b"") + b"\n" + CLEAN["hkl"],
    "comment last without a line end": CLEAN["hkl"] + b"# end",
    "all records on one line": CLEAN["hkl"].replace(b"\n", b" "),
    "points in the indices": CLEAN["hkl"].replace(b"0 ", b"0. ").replace(b"-1 ", b"-1.000 "),
    "plus signs in the indices": CLEAN["hkl"].replace(b" 1 ", b" +1 ").replace(b"0 ", b"+0 ", 1),
    "negative zero": CLEAN["hkl"].replace(b"0 ", b"-0 "),
    "earlier duplicates": b"0 0 0 9\n0 1 1 8\n" + CLEAN["hkl"],
    "a number that is too small": CLEAN["hkl"] + b"1 1 1 1e-999\n",
    "a hundred thousand records": CLEAN["hkl"] + b"0 1 1 86.5\n" * 100000,
}

# ---- binary cache (F3) ----------------------------------------------------------------------------------

DUMP = CLEAN["dump"]
BOX = b"0 0 -1 1 -1 1"


def _box(text: bytes, numbers: bytes = TABLE) -> bytes:
    return text + b"\n\f" + numbers


CACHE_REFUSED: Mapping[str, bytes] = {
    "header only": _box(BOX, b""),
    "header cut before the form feed": BOX + b"\n",
    "header cut inside": BOX[:9],
    "no form feed": BOX + b"\n" + TABLE,
    "no line feed": BOX + b"\f" + TABLE,
    "separators swapped": BOX + b"\f\n" + TABLE,
    "line end of DOS": BOX + b"\r\n\f" + TABLE,
    "mark of UTF-8": b"\xef\xbb\xbf" + DUMP,
    "two blanks": _box(BOX.replace(b" ", b"  ", 1)),
    "tabs": _box(BOX.replace(b" ", b"\t")),
    "blank first": _box(b" " + BOX),
    "blank last": _box(BOX + b" "),
    "line end first": _box(b"\n" + BOX),
    "NUL after the header": _box(BOX + b"\0"),
    "five integers": _box(b"0 0 -1 1 -1"),
    "seven integers": _box(BOX + b" 0"),
    "real": _box(b"0.0 0 -1 1 -1 1"),
    "exponent": _box(b"0e0 0 -1 1 -1 1"),
    "hexadecimal": _box(b"0x0 0 -1 1 -1 1"),
    "word": _box(b"zero 0 -1 1 -1 1"),
    "two signs": _box(b"--0 0 -1 1 -1 1"),
    "comma": _box(BOX.replace(b" ", b",")),
    "integer of a thousand digits": _box(b"0" * 1000 + BOX),
    "index 2^31": _box(b"0 2147483648 -1 1 -1 1"),
    "index 2^64": _box(b"0 18446744073709551616 -1 1 -1 1"),
    "minimum above maximum": _box(b"1 0 -1 1 -1 1"),
    "box of 2^32 along each axis": _box(b"-2147483647 2147483647 " * 2 + b"-2147483647 2147483647"),
    "box of 2^31 along each axis": _box(b"0 2147483647 0 2147483647 0 2147483647"),
    "box of 2^29 entries": _box(b"0 511 0 1022 0 1022"),
    "box of 2^64 bytes": _box(b"0 2097150 0 1048574 0 1048574"),
    "table of one number less": DUMP[:-8],
    "table of one number more": DUMP + bytes(8),
    "table of one byte less": DUMP[:-1],
    "table of one byte more": DUMP + b"\n",
    "table of floats": _box(BOX, struct.pack("<32f", *struct.unpack("<32d", TABLE))),
    "table of text": _box(BOX, CLEAN["hkl"]),
    "nan": _box(BOX, struct.pack("<d", float("nan")) + TABLE[8:]),
    "inf": _box(BOX, TABLE[:-8] + struct.pack("<d", float("-inf"))),
    "list in the place of the cache": CLEAN["hkl"],
}
CACHE_ACCEPTED: Mapping[str, bytes] = {
    "clean": DUMP,
    "signs in the header": _box(b"+0 -0 -1 +1 -1 1"),
    "leading zeros in the header": _box(b"00 000 -01 1 -1 1"),
    "wide range of numbers": _box(b"0 1 -1 1 -1 1", TABLE[:128] + struct.pack("<2d", 1e300, 5e-324) * 16),
}
# outside of the reflections seen, a first number whose lowest byte is a blank
CACHE_BLANK = _box(b"-1 0 -1 1 -1 1", struct.pack("<d", 100.07836985774748) + bytes(120) + TABLE)

# ---- matrix (F4) ----------------------------------------------------------------------------------------

MATRIX_REFUSED: Mapping[str, bytes] = {
    "eight numbers": CLEAN["mat"].replace(b" 0.06", b""),
    "cut inside the ninth number": CLEAN["mat"].replace(b"0.06\n", b"-"),
    "comment first": b"# MOSFLM\n" + CLEAN["mat"],
    "comment between": CLEAN["mat"].replace(b"\n", b"\n# second row\n", 1),
    "name first": b"A = " + CLEAN["mat"],
    "decimal comma": CLEAN["mat"].replace(b"0.08", b"0,08"),
    "columns parted by commas": CLEAN["mat"].replace(b" ", b", "),
    "zeros": b"0 0 0 0 0 0 0 0 0\n",
    "singular": b"1 2 3 4 5 6 7 8 9\n",
    "singular but for the last digit": b"0.2 0.3 0.5 0.4 0.1 0.500001 0.7 0.6 1.3\n",
    "DENZO": b"HEADER film 1\n" + b" 0.1 0.2 0.3 1.0 0.0 0.0\n" * 3,
    "two equal rows": b"0.1 0.2 0.3\n0.1 0.2 0.3\n0 0 1\n",
    "XPARM.XDS without a last line end": b"1 0. 0 0. 7 4.\n83 8 0 0.",
    "XPARM.XDS with line ends of Macintosh": b"1 0. 0.1 1 0 0\r0.98 0 0 1.02\r0.08 0 0\r",
    "DENZO after nine numbers": b"0.1 0 0 0 0.1 0 0 0 0.1 x\n" + b"1 0 0 0 1 0\n" * 3,
    "beginning of a cache": b"1 0 0 0 1 0\n\f0 0 1\n",
    "determinant overflows": b"1e200 0 0 0 1e200 0 0 0 1e200\n",
    "determinant underflows": b"1e-200 0 0 0 1e-200 0 0 0 1e-200\n",
}
CELL_BEYOND_LIMITS = b"1e-305 0 0 0 1 0 0 0 1\n"
MATRIX_ACCEPTED: Mapping[str, bytes] = {
    "line ends of Macintosh": CLEAN["mat"].replace(b"\n", b"\r"),
    "one line": CLEAN["mat"].replace(b"\n", b" "),
    "one number on each line": CLEAN["mat"].replace(b" ", b"\n"),
    "text after the nine numbers": CLEAN["mat"] + b"      0.000       0.000       0.000\nSYMM P1\n",
    "noise after the nine numbers": CLEAN["mat"] + NOISE,
    "nan after the nine numbers": CLEAN["mat"] + b"nan nan nan\n",
    "a megabyte of letters after the nine numbers": CLEAN["mat"] + b"x" * MEGABYTE,
    "the ninth number ends a megabyte": CLEAN["mat"][:-5].ljust(MEGABYTE - 3) + b"0.06",
}

# ---- sources (F5) and amorphous table (F6) --------------------------------------------------------------

SOURCES_REFUSED: Mapping[str, bytes] = {
    "separators only": b",;:! \n ; \n",
    "comments only": b"# x y z\n ; # and so on\n",
    "direction 0 0 0": CLEAN["sourcefile"] + b"0 0 0\n",
    "direction 0 completed by a 0": CLEAN["sourcefile"] + b"0\n",
    "direction too short to have a length": CLEAN["sourcefile"] + b"1e-200 0 0 1 1e-10\n",
    "direction too long to have a length": CLEAN["sourcefile"] + b"1e200 0 0 1 1e-10\n",
    "wavelength 0": CLEAN["sourcefile"] + b"-10 0 0 1 0\n",
    "wavelength negative": CLEAN["sourcefile"] + b"-10 0 0 1 -1e-10\n",
    "wavelength that underflows": CLEAN["sourcefile"] + b"-10 0 0 1 1e-999\n",
    "weight nan": CLEAN["sourcefile"] + b"-10 0 0 nan 1e-10\n",
    "word in the third column": CLEAN["sourcefile"] + b"-10 0 z\n",
}
WAVELENGTH_BEYOND_LIMITS = CLEAN["sourcefile"] + b"-10 0 0 1 1e-320\n"
SOURCES_ACCEPTED: Mapping[str, bytes] = {
    "line ends of Macintosh": CLEAN["sourcefile"].replace(b"\n", b"\r"),
    "separators": CLEAN["sourcefile"].replace(b" ", b" ,").replace(b"\n", b"!\n;:"),
    "comments": b"# x y z weight wavelength\n" + CLEAN["sourcefile"].replace(b"\n", b"\n ; # next\n"),
    "further columns": CLEAN["sourcefile"].replace(b"\n", b" nan x \0 # 6\n"),
    "other weights": CLEAN["sourcefile"].replace(b" 1 ", b" -7e300 "),
}
AMORPHOUS_REFUSED: Mapping[str, bytes] = {
    "separators only": b",;:! \n ; \n",
    "comments only": b"# stol F\n",
    "one column": b"0.1\n0.2\n",
    "one column in the last line": CLEAN["stol"] + b"0.3",
    "word in the second column": CLEAN["stol"] + b"0.3 F\n",
    "names of columns": b"stol F\n" + CLEAN["stol"],
}
AMORPHOUS_ACCEPTED: Mapping[str, bytes] = {
    "separators": CLEAN["stol"].replace(b" ", b" ,").replace(b"\n", b"!\n;:"),
    "comments": b"# stol F\n" + CLEAN["stol"].replace(b"\n", b"\n ; # next\n"),
    "further columns": CLEAN["stol"].replace(b"\n", b" nan x \0\n"),
    "descending": b"3 1\n2 1\n1 1\n",
    "decimal comma that parts columns": b"0,1\n",
    "one line of two numbers": b"0 0",
}

# ---- SMV image and mask (F12) ---------------------------------------------------------------------------

HEADER_BYTES = b"HEADER_BYTES=512"
IMAGE_REFUSED: Mapping[str, bytes] = {
    "511 bytes": CLEAN["img"][:511],
    "cut inside the header": CLEAN["img"][:100],
    "the first twelve bytes": CLEAN["img"][:12],
    "the first twelve bytes and blanks": CLEAN["img"][:12].ljust(600),
    "the first twelve bytes and noise": CLEAN["img"][:12] + NOISE,
    "the first twelve bytes and NULs": CLEAN["img"][:12] + bytes(600),
    "mark of UTF-8": b"\xef\xbb\xbf" + CLEAN["img"],
    "UTF-16": CLEAN["img"].decode("latin-1").encode("utf-16"),
    "line ends of DOS": CLEAN["img"].replace(b"\n", b"\r\n"),
    "line ends of Macintosh": CLEAN["img"].replace(b"\n", b"\r"),
    "blank after the brace": CLEAN["img"].replace(b"{\n", b"{ \n", 1),
    "no brace": CLEAN["img"][1:],
    "lower case": CLEAN["img"].lower(),
    "NUL after the first key": with_header(b"512;\n", b"512;\n\0"),
    "no number of bytes": with_header(HEADER_BYTES, b"HEADER_BYTES"),
    "another key that begins alike": with_header(HEADER_BYTES, b"HEADER_BYTE=512"),
    "no equal signs": CLEAN["img"].replace(b"=", b" "),
    "no SIZE1": with_header(b"SIZE1=4", b"SIZE=4"),
    "no SIZE2": with_header(b"SIZE2=4;\n", b""),
    "no BYTE_ORDER": with_header(b"BYTE_ORDER", b"BITE_ORDER"),
}
# whole words in specification mode only
IMAGE_REFUSED_EXCEPT_HISTORICALLY: Mapping[str, bytes] = {
    "SIZE1 as a part of another key": with_header(b"SIZE1=4", b"BINSIZE1=4"),
    "SIZE2 with a letter behind": with_header(b"SIZE2=4", b"SIZE2X=4"),
}
# an option could still replace the number; the message need not name the file
IMAGE_BEYOND_LIMITS: Mapping[str, bytes] = {
    "10^9 x 10^9 pixels": with_header(b"SIZE1=4;\nSIZE2=4", b"SIZE1=1000000000;\nSIZE2=1000000000"),
    "2^31 pixels": with_header(b"SIZE1=4;\nSIZE2=4", b"SIZE1=65536;\nSIZE2=32768"),
    "PIXEL_SIZE beyond the world": with_header(b"PIXEL_SIZE=10", b"PIXEL_SIZE=1e100"),
    "DISTANCE beyond the world": with_header(b"DISTANCE=100", b"DISTANCE=1e300"),
    "CLOSE_DISTANCE beyond the world": with_header(b"DISTANCE=100", b"CLOSE_DISTANCE=1e60"),
    "BEAM_CENTER_X beyond the world": with_header(b"BEAM_CENTER_X=21", b"BEAM_CENTER_X=1e300"),
    "BEAM_CENTER_Y beyond the world": with_header(b"BEAM_CENTER_Y=19", b"BEAM_CENTER_Y=-1e300"),
}
BAD_LENGTHS = (
    b"0 -0 1 256 510 511 513 512.5 -512 2048 65536 2147483648 4294967808 18446744073709552128 "
    b"1e300 1e999 nan inf abc 0x200 ;512"
)
BAD_COUNTS = b"0 -4 0.99 2147483648 4294967300 18446744073709551620 1e10 1e999 nan inf four -1e-5 '4'"
# an entry of the clean header, and values that may not stand there
BAD_VALUES: Mapping[bytes, bytes] = {
    HEADER_BYTES: BAD_LENGTHS,
    b"SIZE1=4": BAD_COUNTS,
    b"SIZE2=4": BAD_COUNTS,
    b"PIXEL_SIZE=10": b"0 -0 -10 1e-999 1e-323 1e999 nan inf mm",
    b"WAVELENGTH=1.1": b"0 -1 1e-999 1e-320 1e-315 1e999 nan inf A",
    b"DISTANCE=100": b"0 -0 1e-999 1e-323 1e999 nan -inf far",
    b"BEAM_CENTER_X=21": b"1e999 nan inf x \xff",
    b"BEAM_CENTER_Y=19": b"-1e999 nan inf y ;19",
    b"PHI=3": b"1e999 nan inf phi",
    b"OSC_RANGE=2": b"1e999 -1e999 nan inf two",
}
MORE_BAD_KEYS = b"CLOSE_DISTANCE=0 CLOSE_DISTANCE=nan ORGX=nan ORGY=1e999 XDS_ORGX=x XDS_ORGY=".split()
MASK_REFUSED: Mapping[str, bytes] = {
    "pixels cut by one byte": CLEAN["mask"][:-1],
    "pixels cut by one pixel": CLEAN["mask"][:-2],
    "no pixels": CLEAN["mask"][:512],
    "fewer pixels than the detector": with_header(b"SIZE1=4", b"SIZE1=3"),
    "more pixels than the detector": image_file(HEADER.replace(b"SIZE2=4", b"SIZE2=5"), PIXELS * 2),
    "same number of pixels in another shape": with_header(b"SIZE1=4;\nSIZE2=4", b"SIZE1=8;\nSIZE2=2"),
    "header of 514 bytes that takes two from the pixels": with_header(HEADER_BYTES, b"HEADER_BYTES=514"),
    "header that ends with the file": with_header(HEADER_BYTES, b"HEADER_BYTES=544"),
}
LONG_HEADER = HEADER.replace(HEADER_BYTES, b"HEADER_BYTES=1024")
IMAGE_ACCEPTED: Mapping[str, bytes] = {
    "clean": CLEAN["img"],
    "pixels of the other byte order": with_header(b"little_endian", b"big_endian"),
    "byte order of no machine": with_header(b"little_endian", b"middle"),
    "bytes after the pixels": CLEAN["img"] + NOISE,
    "blanks around the equal signs": image_file(HEADER.replace(b"=", b" \t= \t")),
    "line ends of DOS after the first": image_file(HEADER.replace(b";\n", b";\r\n")),
    "no semicolons": image_file(HEADER.replace(b";", b"")),
    "no line ends after the first": image_file(HEADER.replace(b";\n", b";")),
    "blanks for semicolons and line ends": image_file(HEADER.replace(b";\n", b" ")),
    "no closing brace": image_file(HEADER.replace(b"}\f", b"")),
    "header filled with NULs": HEADER.ljust(512, b"\0") + PIXELS,
    "noise after the closing brace and a NUL": (HEADER + b"\0" + NOISE)[:512] + PIXELS,
    "header of 1024 bytes": image_file(LONG_HEADER, length=1024),
    "key beyond byte 512": image_file(
        LONG_HEADER.replace(b"PHI=3;\n", b"").replace(b"}\f", b"").ljust(700) + b"PHI=3;\n}\f", length=1024
    ),
    "last of several values": with_header(b"DIM=2;", b"PHI=nan;\nSIZE1=9;\nDIM=2;"),
    "units behind the numbers": image_file(HEADER.replace(b"=100", b"=100 mm").replace(b"1=4", b"1=4.9px")),
    "exponents and signs": image_file(HEADER.replace(b"=100", b"=+1.E2").replace(b"1=4", b"1=.4e1")),
    "bytes beyond ASCII in other keys": with_header(b"DIM=2", b"DIM=2;\nBEAMLINE=\xb5\xff\x80"),
    "a key inside a value": with_header(b"PHI=3", b"COMMENT=PHI=3"),
    "two keys on a line": with_header(b"PHI=3;\nOSC_START=3;", b"PHI=3 OSC_START=3"),
    "header that ends at a form feed": with_header(b"OSC_RANGE=2;\n}\f", b"}\f\nOSC_RANGE=2;\n"),
    "detector dimensions": with_header(b"SIZE1=4;\nSIZE2=4;", b"SIZE1=0;\nDETECTOR_DIMENSIONS=4;"),
    "detector dimensions that do not count": with_header(b"DIM=2;", b"DIM=2;\nDETECTOR_DIMENSIONS=9;"),
    "other keys": with_header(b"DIM=2;", b"DIM=2;\nTWOTHETA=30;\nDENZO_X_BEAM=nan;\nDETECTOR_SN=;"),
    "header of a megabyte of letters": image_file(
        HEADER.replace(HEADER_BYTES, b"HEADER_BYTES=1048576"), length=600
    )
    .removesuffix(PIXELS)
    .ljust(MEGABYTE, b"x")
    + PIXELS,
    "header of a megabyte of equal signs": image_file(
        HEADER.replace(HEADER_BYTES, b"HEADER_BYTES=1048576"), length=600
    )
    .removesuffix(PIXELS)
    .ljust(MEGABYTE, b"=")
    + PIXELS,
    "header of a megabyte of keys": image_file(
        HEADER.replace(HEADER_BYTES, b"HEADER_BYTES=1048576") + b"A=" * 500000, length=MEGABYTE
    ),
    "a very small angle": with_header(b"DIM=2;", b"DIM=2;\nTWOTHETA=1e-999;"),
}
# keys that the historical program also finds inside longer words
PART_OF_A_KEY = {
    "DISTANCE inside another key": with_header(b"WAVELENGTH", b"MY_DISTANCE=200;\nWAVELENGTH"),
    "PHI with a minus before it": with_header(b"OSC_RANGE", b"OMEGA-PHI=70;\nOSC_RANGE"),
    "PHI with a digit behind": with_header(b"OSC_RANGE", b"PHI2=70;\nOSC_RANGE"),
}


# ---- all entries ----------------------------------------------------------------------------------------


def _entries(
    kind: str, rule: str, contents: Mapping[str, bytes | Special], accepted: bool = False
) -> list[Entry]:
    return [Entry(kind, name, rule, content, accepted) for name, content in contents.items()]


def _header_values(kind: str) -> list[Entry]:
    """Headers with one bad value each; no value at all is bad in every entry."""
    contents = {}
    for old, values in BAD_VALUES.items():
        key = old.partition(b"=")[0]
        for value in [b"", *values.split()]:
            contents[ascii((key + b"=" + value).decode("latin-1"))[1:-1]] = with_header(
                old, key + b"=" + value
            )
    contents |= {key.decode(): with_header(b"DIM=2", b"DIM=2;\n" + key) for key in MORE_BAD_KEYS}
    return _entries(kind, "F12.7", contents)


ENTRIES: tuple[Entry, ...] = (
    *(entry for kind in KINDS for entry in _entries(kind, "C5", _no_files(kind))),
    *(entry for kind in TEXT_KINDS for entry in _entries(kind, "C8.4", _text_refused(kind))),
    *(entry for kind in TEXT_KINDS for entry in _entries(kind, "F2 F4 F5 F6", _text_accepted(kind), True)),
    *_entries("hkl", "F2.7", LIST_REFUSED),
    *_entries("hkl", "F2.7", LIST_ACCEPTED, True),
    *_entries("dump", "F3.5", CACHE_REFUSED),
    *_entries("dump", "F3.1", CACHE_ACCEPTED, True),
    Entry("dump", "first number begins with a blank", "F3.4", CACHE_BLANK, True, "HD-SF-1"),
    *_entries("mat", "F4.2", MATRIX_REFUSED),
    Entry("mat", "cell beyond all numbers", "C8.9", CELL_BEYOND_LIMITS),
    *_entries("mat", "F4.1", MATRIX_ACCEPTED, True),
    *_entries("sourcefile", "F5.5", SOURCES_REFUSED),
    Entry("sourcefile", "wavelength too short for the cell", "C8.9", WAVELENGTH_BEYOND_LIMITS),
    *_entries("sourcefile", "F5.5", SOURCES_ACCEPTED, True),
    *_entries("stol", "F6", AMORPHOUS_REFUSED),
    *_entries("stol", "F6", AMORPHOUS_ACCEPTED, True),
    *(entry for kind in ("img", "mask") for entry in _entries(kind, "F12.7", IMAGE_REFUSED)),
    *(entry for kind in ("img", "mask") for entry in _entries(kind, "C8.9", IMAGE_BEYOND_LIMITS)),
    *(
        Entry(kind, name, "F12.7", content, historical="HD-HDR-2")
        for kind in ("img", "mask")
        for name, content in IMAGE_REFUSED_EXCEPT_HISTORICALLY.items()
    ),
    *(entry for kind in ("img", "mask") for entry in _header_values(kind)),
    *(entry for kind in ("img", "mask") for entry in _entries(kind, "F12", IMAGE_ACCEPTED, True)),
    *(
        Entry(kind, name, "F12.7", content, True, "HD-HDR-2")
        for kind in ("img", "mask")
        for name, content in PART_OF_A_KEY.items()
    ),
    *_entries("mask", "F12.7", MASK_REFUSED),
    Entry("img", "pixels cut", "F12.5", CLEAN["img"][:-1], True),
    Entry("img", "no pixels", "F12.5", CLEAN["img"][:512], True),
)

# ---- command lines --------------------------------------------------------------------------------------

# beside "-cell", "-default_F" and the like, in a folder with a good file of every kind
LINES_REFUSED: Mapping[str, str] = {
    "-energy 5e-324": "C8.4",
    "-lambda 1e-320": "C8.4",
    "-pixel 1e-323": "C8.4",
    "-detsize 5e-324": "C8.4",
    "-distance 5e-324": "C8.4",
    "-detector_abs 1e-320": "C8.4",
    "-phi 1e309": "C8.4",
    "-cell 9 9 9 5e-324 90 90": "C3.14",
    "-cell 1e-200 100 2.5 .5 .5": "C8.9",
    "-cell 0.5 1 0.5 1e-308": "C8.9",
    "-cell 1e200 1 1": "C8.9",
    "-lambda 1e-9": "C8.9",
    "-flux 1 -exposure 0 -beamsize 0": "C3.43",
    "-sample_x 65535": "C8.9",
    "-polar_vector 1e308 1 1": "C3.90",
    "-beam_vector 1e-200 0 0": "C3.89",
    "-fdet_vector -1e154 1e154 0": "C3.86",
    "-roi 0 2147483648 0 3": "C8.9",
    "-roi 0 3 -2147483649 3": "C8.9",
    "-stol good.stol -Q missing": "C2.8",
    "-" + "x" * 100_000: "C8.4",
    "-N " + "9" * 100_000: "C8.4",
    "-N 1." + "0" * 100_000 + "1": "C8.4",
    "-phi 0." + "0" * 100_000 + "x": "C8.4",
    "-pixel " + "4" * 2000 + "\u20ac": "C8.4",
}
LINES_ACCEPTED: Mapping[str, str] = {
    "-roi -2147483648 3 0 3": "C4.18",
    "-phi 5e-324": "C8.4",
    "-oversample_thick -close_distance -0.5": "P6.11",
    "-lambda 2e-8": "C8.9",
    "-lambda 2e-8 -gauss_xtal": "C8.9",
    "-hdivrange 5e-324": "C8.4",
    "-detector_rotx -1e-320": "C8.4",
    "-curved_det -beam_vector 0 1 0 -nonoise": "P6.4",
    "-sample_x 1e-323": "C8.4",
    "-stol missing -Q good.stol": "C2.8",
    "-N 5." + "0" * 100_000: "C8.4",
    "-phi 0." + "0" * 100_000 + "1": "C8.4",
}
