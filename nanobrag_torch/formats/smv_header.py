"""Header of SMV images: writing (F7) and reading (F12)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nanobrag_torch.constants import LARGEST_COUNT
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.general_format import g6
from nanobrag_torch.formats.input_file import open_input, read_errors, shown
from nanobrag_torch.formats.recognise import Wanted, refuse_other_kinds

BLOCK_BYTES = 512
MAGIC = b"{\nHEADER_BYT"
MAX_HEADER_BYTES = 1 << 24
# a key counts wherever it stands, also inside the value of another one (F12.2)
KEY = re.compile(r"(?<![A-Za-z0-9_-])([A-Za-z0-9_-]++)[ \t]*+=")
VALUE = re.compile(r"[^;\n\r]*")
LEADING_NUMBER = re.compile(r"[ \t]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
LONGEST_COMPARED = 80
"""Characters: two values that begin alike as far as this say the same."""
# key of the file -> key it stands for
SYNONYMS = {"XDS_ORGX": "ORGX", "XDS_ORGY": "ORGY"}


@dataclass(frozen=True, kw_only=True, slots=True)
class SmvFields:
    """Numbers of a header that is written; units and formulas are those of P2.9."""

    width: int
    height: int
    pixel_mm: float
    distance_mm: float
    wavelength_A: float  # noqa: N815 - Angstrom
    beam_center_mm: tuple[float, float]
    adxv_center_mm: tuple[float, float]
    mosflm_center_mm: tuple[float, float]
    denzo_beam_mm: tuple[float, float]
    dials_origin_mm: tuple[float, float, float]
    xds_org_pixels: tuple[float, float]
    close_distance_mm: float
    phi_deg: float
    osc_deg: float
    twotheta_deg: float


def header_bytes(fields: SmvFields) -> bytes:
    """Header, padded with blanks to a multiple of 512 bytes.

    Line 2 holds the true length; it exceeds 512 where the historical program
    wrote a header that readers cannot follow (F7.2).
    """
    length = BLOCK_BYTES
    while True:
        text = _header_text(fields, length)
        if len(text) <= length:
            return text.ljust(length, b" ")
        length = -(-len(text) // BLOCK_BYTES) * BLOCK_BYTES


def _header_text(fields: SmvFields, length: int) -> bytes:
    """Text up to and including the form feed (F7.1); no line feed after the brace."""
    lines = [f"HEADER_BYTES={length}", "DIM=2", f"BYTE_ORDER={sys.byteorder}_endian", "TYPE=unsigned_short"]
    lines += [f"SIZE1={fields.width}", f"SIZE2={fields.height}"]
    lines += [f"PIXEL_SIZE={g6(fields.pixel_mm)}", f"DISTANCE={g6(fields.distance_mm)}"]
    lines += [f"WAVELENGTH={g6(fields.wavelength_A)}"]
    lines += _pair("BEAM_CENTER_X", "BEAM_CENTER_Y", fields.beam_center_mm)
    lines += _pair("ADXV_CENTER_X", "ADXV_CENTER_Y", fields.adxv_center_mm)
    lines += _pair("MOSFLM_CENTER_X", "MOSFLM_CENTER_Y", fields.mosflm_center_mm)
    lines += _pair("DENZO_X_BEAM", "DENZO_Y_BEAM", fields.denzo_beam_mm)
    origin = ",".join(map(g6, fields.dials_origin_mm))
    # the origin is the one line without a semicolon
    lines += [f"DIALS_ORIGIN={origin}\nXDS_ORGX={g6(fields.xds_org_pixels[0])}"]
    lines += [f"XDS_ORGY={g6(fields.xds_org_pixels[1])}", f"CLOSE_DISTANCE={g6(fields.close_distance_mm)}"]
    lines += [f"PHI={g6(fields.phi_deg)}", f"OSC_START={g6(fields.phi_deg)}"]
    lines += [f"OSC_RANGE={g6(fields.osc_deg)}", f"TWOTHETA={g6(fields.twotheta_deg)}"]
    lines += ["DETECTOR_SN=000", "BEAMLINE=fake"]
    return ("{\n" + "".join(f"{line};\n" for line in lines) + "}\f").encode("ascii")


def _pair(first: str, second: str, values: tuple[float, float]) -> list[str]:
    return [f"{first}={g6(values[0])}", f"{second}={g6(values[1])}"]


class Values(Mapping[str, str]):
    """Texts after the keys of a header, the last of each key; cut out only where one is asked for."""

    def __init__(self, header: str) -> None:
        self._header = header
        self._starts: dict[str, list[int]] = {}
        for key in KEY.finditer(header):
            self._starts.setdefault(SYNONYMS.get(key[1], key[1]), []).append(key.end())

    def __getitem__(self, key: str) -> str:
        return self._text(self._starts[key][-1])

    def __iter__(self) -> Iterator[str]:
        return iter(self._starts)

    def __len__(self) -> int:
        return len(self._starts)

    def every(self, key: str) -> list[str]:
        """The beginnings of all values of a key that is there, in their order."""
        return [self._text(start, start + LONGEST_COMPARED) for start in self._starts[key]]

    def _text(self, start: int, end: int = sys.maxsize) -> str:
        match = VALUE.match(self._header, start, end)
        return match.group() if match else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SmvHeader:
    """Header of an image given by the user; ``values`` are the texts after each key.

    ``length`` and ``size`` are the bytes of the header and of the whole file.
    """

    path: str
    length: int
    size: int
    width: int
    height: int
    values: Values

    def number(self, key: str) -> float | None:
        """Number of a key, None if the key is absent.

        Raises: InputFileError if the text of the key does not begin with a finite number.
        """
        return _number(self.path, self.values, key)

    def number_if_any(self, key: str) -> float | None:
        """Number of a key that nothing depends on, None also if its text does not begin with one (F12.10)."""
        return leading_number(self.values.get(key, ""))

    def word(self, key: str) -> str:
        """Text of a key up to the next key or the closing brace, without blanks around; empty if absent."""
        return own_text(self.values.get(key, ""))


def own_text(value: str) -> str:
    """A value up to the next key on its line or the closing brace (F12.8)."""
    following = KEY.search(value)
    return value[: following.start() if following else None].partition("}")[0].strip()


def leading_number(value: str) -> float | None:
    """The finite number that a value begins with, if there is one (F12.2)."""
    match = LEADING_NUMBER.match(value)
    number = float(match.group(1)) if match else float("nan")
    return number if number - number == 0 else None


def text_after_number(value: str) -> str:
    """What a value holds beside the number that it begins with (F12.10)."""
    match = LEADING_NUMBER.match(value)
    return own_text(value[match.end() :]) if match else ""


def read_header(path: str) -> SmvHeader:
    """Header of an SMV image; whole keywords, the last of several counts (F12.7).

    Raises: InputFileError if the file is not readable, not recognised, truncated, or
    lacks SIZE1, SIZE2 or BYTE_ORDER.
    """
    file, size = open_input(path)
    with file:
        with read_errors(path):
            block = file.read(BLOCK_BYTES)
        if not block.startswith(MAGIC):
            refuse_other_kinds(path, block, Wanted.IMAGE)
        if len(block) < BLOCK_BYTES:
            raise InputFileError(f"{path}: expected a header of {BLOCK_BYTES} bytes, got {len(block)} bytes")
        if not block.startswith(MAGIC):
            raise InputFileError(f"{path}:1: expected an SMV header, got {shown(block[:12])}")
        length = _header_length(path, _entries(block))
        if length > size:
            raise InputFileError(f"{path}: expected a header of {length} bytes, got a file of {size} bytes")
        with read_errors(path):
            block += file.read(length - BLOCK_BYTES)
    values = _entries(block)
    return _checked(path, length, size, values)


def _entries(block: bytes) -> Values:
    """Keys and their texts; a NUL ends the header text."""
    return Values(block.partition(b"\0")[0].decode("latin-1"))


def _number(path: str, values: Mapping[str, str], key: str) -> float | None:
    text = values.get(key)
    if text is None:
        return None
    number = leading_number(text)
    if number is None:
        got = shown(text.encode("utf-8"))
        raise InputFileError(f"{path}: header key {key}: expected a finite number, got {got}")
    return number


def _header_length(path: str, values: Mapping[str, str]) -> int:
    number = _number(path, values, "HEADER_BYTES")
    if number is None or number < BLOCK_BYTES or number % 2 or number > MAX_HEADER_BYTES:
        got = shown(values.get("HEADER_BYTES", "nothing").encode("utf-8"))
        raise InputFileError(
            f"{path}: header key HEADER_BYTES: expected an even number from {BLOCK_BYTES}"
            f" to {MAX_HEADER_BYTES}, got {got}"
        )
    return int(number)


def _checked(path: str, length: int, size: int, values: Values) -> SmvHeader:
    width, height = _counts(path, values)
    if "BYTE_ORDER" not in values:
        raise InputFileError(
            f"{path}: header key BYTE_ORDER: expected little_endian or big_endian, got nothing"
        )
    return SmvHeader(path=path, length=length, size=size, width=width, height=height, values=values)


def _counts(path: str, values: Mapping[str, str]) -> tuple[int, int]:
    """Fast and slow pixel counts; DETECTOR_DIMENSIONS stands for both where SIZE1 is 0 (F12.4)."""
    sizes = {key: _number(path, values, key) for key in ("SIZE1", "SIZE2")}
    both = _number(path, values, "DETECTOR_DIMENSIONS") if sizes["SIZE1"] == 0 else None
    if both is not None:
        sizes = {"DETECTOR_DIMENSIONS": both}
    for key, number in sizes.items():
        if number is None or not 1 <= number <= LARGEST_COUNT:
            got = shown(values.get(key, "nothing").encode("utf-8"))
            raise InputFileError(f"{path}: header key {key}: expected a pixel count from 1, got {got}")
    counts = [int(number) for number in sizes.values() if number is not None]
    return counts[0], counts[-1]
