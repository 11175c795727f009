"""Files of another kind than the one that an option expects, told by their content (F1.6, F4.5)."""

from __future__ import annotations

import re

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.input_file import BYTE_ORDER_MARK

HEAD_BYTES = 1 << 16
"""What tells the kind of a file lies within these."""
MATRIX = "expected the nine numbers of a MOSFLM matrix"
ORIENTATIONS = {
    "XPARM.XDS, the geometry of XDS": f"{MATRIX} (dials.import_xds, then dials.export format=mosflm)",
    "an experiment list of DIALS": f"{MATRIX} (dials.export format=mosflm writes them)",
    "a JSON file": f"{MATRIX} (from DIALS: dials.export format=mosflm)",
    "a DENZO file (.x)": f"{MATRIX}: the matrix of DENZO is in other axes",
}
"""Files that hold an orientation, and what is expected in their place (F4.5)."""

# quantifiers that give nothing back: the time must not grow with the square of what a file holds
REAL = rb"[ \t]*+[+-]?[0-9]*+\.[0-9]++(?:[eE][+-]?[0-9]++)?(?=[\s+-])"
NUMBER = rb"[ \t]*+[+-]?[0-9.]++(?:[eE][+-]?[0-9]++)?(?=[\s+-])"
LINE_END = rb"[ \t]*+(?:\r\n?|\n)"


def _table(*rows: tuple[bytes, str]) -> tuple[tuple[re.Pattern[bytes], str], ...]:
    return tuple((re.compile(beginning), name) for beginning, name in rows)


KINDS = _table(
    (rb"\xff\xfe\0\0|\0\0\xfe\xff", "text in UTF-32"),
    (rb"\xff\xfe|\xfe\xff|(?:[^\0]\0){2}|(?:\0[^\0]){2}", "text in UTF-16"),
    (rb"\x1f\x8b", "packed with gzip"),
    (rb"BZh[1-9]1AY&SY", "packed with bzip2"),
    (rb"\xfd7zXZ\0", "packed with xz"),
    (rb"PK(?:\x03\x04|\x05\x06)", "a ZIP archive"),
    (rb"\x93NUMPY", "an array of NumPy (.npy)"),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (rb"MTZ ", "an MTZ file"),
    (rb"###_?CBF", "a CBF image"),
    (rb"II\*\0|MM\0\*", "a TIFF or MarCCD image"),
    (rb"\{\nHEADER_BYTES", "an SMV image"),
    (rb"(?:HEADER|TITLE |REMARK|CRYST1|ATOM  |HETATM)[ \r\n0-9]", "a PDB file"),
    (rb"\s*+data_", "a CIF file"),
    (rb"\s*+\{(?=[\0-\xff]*?\"ExperimentList\")", "an experiment list of DIALS"),
    (rb"\s*+[{\[]\s*+[\"{\[]", "a JSON file"),
    (rb"\s*+G?XPARM\.XDS\b", "XPARM.XDS, the geometry of XDS"),
    (rb"![A-Z_]+=", "a file of XDS"),
)
"""How a file begins, and what it then is; the first that fits counts."""
ORIENTATION_KINDS = _table(
    # XPARM.XDS without its name: frame, angle, step and axis, then wavelength and beam
    (
        rb"[ \t]*+[0-9]++(?:" + NUMBER + rb"){5}" + LINE_END + rb"(?:" + NUMBER + rb"){4}" + LINE_END,
        "XPARM.XDS, the geometry of XDS",
    ),
    (
        rb"(?!(?:"
        + NUMBER
        + rb")++"
        + LINE_END
        + rb")[^\r\n]*+"
        + LINE_END
        + rb"(?:(?:"
        + REAL
        + rb"){6}"
        + LINE_END
        + rb"){3}",
        "a DENZO file (.x)",
    ),
)
"""Those that a list of numbers could be taken for: only told where a matrix is expected."""


def kind_of(content: bytes, *, orientation: bool = False) -> str | None:
    """What ``content`` is, in the words of a message; None for a plain text and for what is not known."""
    head = content.removeprefix(BYTE_ORDER_MARK)[:HEAD_BYTES]
    table = ORIENTATION_KINDS + KINDS if orientation else KINDS
    return next((name for beginning, name in table if beginning.match(head)), None)


def refuse_other_kinds(path: str, content: bytes, expected: str) -> None:
    """Raise InputFileError where ``content`` is of a kind that is known, and so not ``expected``."""
    kind = kind_of(content)
    if kind is not None:
        raise InputFileError(f"{path}: is {kind}, {expected}")
