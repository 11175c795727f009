"""The type of the pixels of an SMV image, from its header (F12.8)."""

from __future__ import annotations

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.input_file import shown
from nanobrag_torch.formats.smv_header import SmvHeader

INTEGERS = {
    1: "unsigned_byte signed_byte byte unsigned_char signed_char char",
    2: "unsigned_short signed_short short unsigned_short_int signed_short_int short_int",
    4: "unsigned_long signed_long long unsigned_int signed_int int integer unsigned_long_int "
    "signed_long_int long_int",
}
REALS = {4: "float float_ieee", 8: "double"}
TYPES = {
    name: (kind, size)
    for kind, table in (("u", INTEGERS), ("f", REALS))
    for size, names in table.items()
    for name in names.split()
}
"""Type of a header -> kind of number (u or f) and bytes; the sign of an integer decides nothing here."""
TYPE_KEYS = ("TYPE", "DATA_TYPE", "Data_type")
"""The first that is there counts; the other two are d*TREK's."""
DEFAULT_TYPE = "unsigned_short"
NOT_COMPRESSED = ("none", "no", "0")


def pixel_type(header: SmvHeader) -> str:
    """Type of the pixels as numpy spells it: ``<u2``, ``>f4`` and so on.

    Raises: InputFileError for a type that is not in the table, or two that differ, for more than two
    dimensions, and for compressed pixels. Source: F12.8.
    """
    found = [(key, _type(header, key)) for key in TYPE_KEYS if key in header.values]
    for key, other in found[1:]:
        if other != found[0][1]:
            raise InputFileError(
                f"{header.path}: header keys {found[0][0]} and {key}: {header.word(found[0][0])} and"
                f" {header.word(key)}, expected one type"
            )
    dimensions = header.word("DIM")
    if "DIM" in header.values and header.number_if_any("DIM") != 2:
        raise _unexpected(header, "DIM", "2", dimensions)
    compression = header.word("COMPRESSION")
    if "COMPRESSION" in header.values and compression.lower() not in NOT_COMPRESSED:
        raise _unexpected(header, "COMPRESSION", "none", compression)
    order = ">" if header.word("BYTE_ORDER").lower() == "big_endian" else "<"
    kind, size = found[0][1] if found else TYPES[DEFAULT_TYPE]
    return f"{order}{kind}{size}"


def _type(header: SmvHeader, key: str) -> tuple[str, int]:
    text = header.word(key)
    known = TYPES.get("_".join(text.lower().replace("-", " ").split()))
    if known is None:
        raise _unexpected(header, key, f"one of {' '.join(TYPES)}", text)
    return known


def _unexpected(header: SmvHeader, key: str, expected: str, text: str) -> InputFileError:
    got = shown(text.encode("utf-8"))
    return InputFileError(f"{header.path}: header key {key}: expected {expected}, got {got}")


def pixel_bytes(header: SmvHeader) -> int:
    """Bytes that the pixels of ``header`` take. Raises: InputFileError as ``pixel_type``."""
    return int(pixel_type(header)[2:]) * header.width * header.height
