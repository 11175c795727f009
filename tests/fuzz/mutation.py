"""Small changes to the bytes of a file, all drawn from one generator, so that a seed repeats them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from random import Random

Change = Callable[[Random, bytes], bytes]

NUMBER = re.compile(rb"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
EXTREMES = [
    *b"0 -0 1 -1 +1 2 0.5 -.5 1. 1.0 1.5 1e0 1e2 1E-2 12 00000 2147483647 2147483648 -2147483649".split(),
    *b"4294967296 4294967297 9223372036854775808 18446744073709551616 1e9999 -1e9999 1e-9999".split(),
    *b"1e308 -1e308 1e154 1e155 1e-154 1e-162 1e-308 5e-324 nan -nan inf -inf 0x10 0x 1e 1e+ 1d2".split(),
    *b". - + -- 1,5 1_0 1;2 %s %n".split(),
    *(b"", b"9" * 400, b"0." + b"0" * 400 + b"1", b"1" + b"0" * 30),
]
PIECES = [
    *b"# ; , : ! = { } \\ ' \" e E x \0 \x1a \xff \xfe \x80 \xef\xbb\xbf \xc2\xa0 \xe2\x80\xa8".split(b" "),
    *(b"\n", b"\r", b"\r\n", b"\n\n", b" ", b"\t", b"\v", b"\f"),
    *b"SIZE1=3; SIZE2= PHI=1; DISTANCE=5 XDS_ORGX=1; BYTE_ORDER".split(),
    *b"DETECTOR_DIMENSIONS=4; HEADER_BYTES=1024;".split(),
]
REALS = (float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 5e-324, 1e308, 1e-308, 1.0)
MOST_CHANGES = 6


def few(rng: Random, rate: float, most: int) -> int:
    """A number from 0, mostly a small one; at most ``most``, also where a generator draws infinity."""
    return int(min(rng.expovariate(rate), most))


def span(rng: Random, data: bytes) -> tuple[int, int]:
    """Start and end of a piece, mostly a short one."""
    start = rng.randint(0, len(data))
    return start, min(len(data), start + few(rng, 0.1, 1000))


def flip_bits(rng: Random, data: bytes) -> bytes:
    """Turn one to eight bits over."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8) if data else 0):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(rng: Random, data: bytes) -> bytes:
    """Keep the beginning only."""
    return data[: rng.randint(0, len(data))]


def remove(rng: Random, data: bytes) -> bytes:
    """Leave a piece out."""
    start, end = span(rng, data)
    return data[:start] + data[end:]


def repeat(rng: Random, data: bytes) -> bytes:
    """Put a copy of a piece somewhere else."""
    start, end = span(rng, data)
    at = rng.randint(0, len(data))
    return data[:at] + data[start:end] * rng.choice((1, 1, 1, 2, 50)) + data[at:]


def insert(rng: Random, data: bytes) -> bytes:
    """Put in a character that means something to some reader, often at the start of a line."""
    at = rng.choice([0, len(data), rng.randint(0, len(data)), *line_starts(data)])
    return data[:at] + rng.choice(PIECES) + data[at:]


def line_starts(data: bytes) -> list[int]:
    """Where the lines begin, after the first."""
    return [match.end() for match in re.finditer(rb"\n", data)][:50]


def exchange_number(rng: Random, data: bytes) -> bytes:
    """Replace a number by one at the edge of what can be read."""
    numbers = list(NUMBER.finditer(data))
    if not numbers:
        return data + rng.choice(EXTREMES)
    match = rng.choice(numbers)
    return data[: match.start()] + rng.choice(EXTREMES) + data[match.end() :]


def exchange_real(rng: Random, data: bytes) -> bytes:
    """Overwrite eight bytes by a binary64 number."""
    at = rng.randint(0, max(0, len(data) - 8))
    return data[:at] + struct.pack("<d", rng.choice(REALS)) + data[at + 8 :]


def shuffle_lines(rng: Random, data: bytes) -> bytes:
    """Repeat, leave out or move a line."""
    lines = data.split(b"\n")
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(3):
        case 0:
            lines.insert(to, lines[at])
        case 1:
            lines.pop(at)
        case _:
            lines.insert(to, lines.pop(at))
    return b"\n".join(lines)


def exchange_white_space(rng: Random, data: bytes) -> bytes:
    """Replace one kind of white space everywhere, or once."""
    old = rng.choice((b" ", b"\n", b"\t"))
    new = rng.choice((b"\r\n", b"\r", b"\t", b"  ", b"\v", b"\f", b"\0", b"", b",", b"\n", b" "))
    return data.replace(old, new, rng.choice((1, -1)))


def noise(rng: Random, data: bytes) -> bytes:
    """Overwrite a piece with random bytes."""
    start, end = span(rng, data)
    return data[:start] + rng.randbytes(end - start) + data[end:]


CHANGES: Sequence[Change] = (
    flip_bits,
    cut,
    remove,
    repeat,
    insert,
    insert,
    exchange_number,
    exchange_number,
    exchange_number,
    exchange_real,
    shuffle_lines,
    exchange_white_space,
    noise,
)


def mutated(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds, or two spliced, after a few changes; the first seed is taken most often."""
    data = seeds[0] if rng.random() < 0.5 else rng.choice(seeds)
    if rng.random() < 0.1:
        data = cut(rng, data) + rng.choice(seeds)[rng.randint(0, 200) :]
    for _ in range(1 + few(rng, 1.2, MOST_CHANGES)):
        data = rng.choice(CHANGES)(rng, data)
    return data
