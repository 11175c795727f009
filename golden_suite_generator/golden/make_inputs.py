"""Make the input files of the golden suite: small, synthetic, the same bytes each time.

    python make_inputs.py            write inputs/
    python make_inputs.py --check    make them elsewhere and compare; exit status 1 if one differs

Amplitudes come from a linear congruence, so that no library's random numbers take part.
"""

import argparse
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "inputs"
MULTIPLIER, MODULUS = 16807, 2**31 - 1

WIDTH, HEIGHT, PIXEL_MM = 24, 20, 1
HEADER = f"""{{
HEADER_BYTES=512;
DIM=2;
BYTE_ORDER=little_endian;
TYPE=unsigned_short;
SIZE1={WIDTH};
SIZE2={HEIGHT};
"""
GEOMETRY = f"""PIXEL_SIZE={PIXEL_MM};
DISTANCE=95;
WAVELENGTH=1.2;
BEAM_CENTER_X=9.5;
BEAM_CENTER_Y=11.25;
XDS_ORGX=12.5;
XDS_ORGY=9.5;
PHI=3;
OSC_RANGE=2;
TWOTHETA=7;
"""


def amplitudes(seed: int) -> Iterator[str]:
    """Numbers from 1.00 to 100.99 with two decimals, without end."""
    state = seed
    while True:
        state = state * MULTIPLIER % MODULUS
        yield f"{1 + state % 10000 / 100:.2f}"


def box_list(largest: int) -> str:
    """Every index from -largest to largest, in order."""
    numbers, span = amplitudes(1), range(-largest, largest + 1)
    return "".join(f"{h} {k} {l} {next(numbers)}\n" for h in span for k in span for l in span)


def sparse_list() -> str:
    """Every seventh index of a box that is not symmetric, backwards, one of them twice."""
    numbers = amplitudes(2)
    indices = [(h, k, l) for h in range(-5, 3) for k in range(-2, 7) for l in range(-4, 4)]
    rows = [f"{h} {k} {l} {next(numbers)}\n" for h, k, l in reversed(indices[::7])]
    return "# h k l F\n" + "".join(rows) + "0 1 0 50\n0 1 0 60\n"


def smv(text: str, pixels: list[int]) -> bytes:
    """An SMV file of 16-bit pixels; ``text`` is the header without the closing brace."""
    return (text + "}\f").encode("ascii").ljust(512) + struct.pack(f"<{len(pixels)}H", *pixels)


def mask_pixels() -> list[int]:
    """Off in a diagonal band and in one corner, on elsewhere."""
    return [
        0 if (slow + fast) % 7 == 0 or (slow < 4 and fast < 5) else 1
        for slow in range(HEIGHT)
        for fast in range(WIDTH)
    ]


def files() -> dict[str, bytes]:
    """Name and content of every input."""
    blank = [0] * (WIDTH * HEIGHT)
    return {
        "box.hkl": box_list(4).encode(),
        "sparse.hkl": sparse_list().encode(),
        # a triclinic cell in a general orientation, times a wavelength of 1 Angstrom
        "cell.mat": b" 0.0190 0.0061 -0.0042\n-0.0071 0.0182 0.0035\n 0.0049 -0.0023 0.0158\n",
        "sources.txt": b"-10 0 0 1 1.1e-10\n# comment\n-10 .2 .1 3 1.12e-10\n-10, -0.1, 0.3, 0.5, 1.08e-10\n",
        "short.txt": b"-10 0 0\n-10 0.15 -0.1\n",
        "amorphous.stol": b"0 2.57\n0.1 2.6\n0.2 2.2\n",
        "header.img": smv(HEADER + GEOMETRY, blank),
        "both.img": smv(HEADER + GEOMETRY + "CLOSE_DISTANCE=80;\n", blank),
        "mask.img": smv(HEADER, mask_pixels()),
        "geometry_mask.img": smv(HEADER + GEOMETRY, mask_pixels()),
    }


def main() -> int:
    """Write or check the files; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="compare with the committed files, write nothing"
    )
    if not parser.parse_args().check:
        FOLDER.mkdir(exist_ok=True)
        for name, content in files().items():
            (FOLDER / name).write_bytes(content)
        return 0
    wrong = [
        name
        for name, content in files().items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_bytes() != content
    ]
    wrong += sorted(path.name for path in FOLDER.iterdir() if path.name not in files())
    for name in wrong:
        print(f"{FOLDER / name}: not what make_inputs.py makes", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
