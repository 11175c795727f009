"""What a file of structure factors is, by its content alone; the name says nothing (F2.8, F2.9)."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.input_file import BYTE_ORDER_MARK, NUMBER

HEAD_BYTES = 1 << 16
"""What tells the format of a file lies within these."""


class Kind(Enum):
    """The files that are read beside the text list; the value is the words of a message."""

    MTZ = "an MTZ file"
    MMCIF_REFLECTIONS = "an mmCIF file of reflections"
    CIF_REFLECTIONS = "a CIF file of reflections"
    MMCIF_ATOMS = "an mmCIF file of coordinates"
    CIF_ATOMS = "a CIF file of a small molecule"
    PDB = "a PDB file"

    @property
    def has_columns(self) -> bool:
        """Whether there are amplitudes to choose from."""
        return self in (Kind.MTZ, Kind.MMCIF_REFLECTIONS, Kind.CIF_REFLECTIONS)


class Foreign(NamedTuple):
    """A format that is not read: how it begins, what it is, and what is expected in its place."""

    beginning: re.Pattern[bytes]
    name: str
    expected: str


def _foreign(beginning: bytes, name: str, expected: str) -> Foreign:
    return Foreign(re.compile(beginning, re.IGNORECASE | re.MULTILINE), name, expected)


def _packed(beginning: bytes, name: str, unpack: str) -> Foreign:
    return Foreign(re.compile(beginning, re.DOTALL), name, f"the file in it ({unpack})")


FACTORS = "structure factors (h k l F, MTZ, mmCIF) or coordinates (PDB, mmCIF, CIF)"
AMPLITUDES = "amplitudes, not intensities"
XDS = f"{AMPLITUDES} (XDSCONV writes them from XDS_ASCII.HKL, or gemmi xds2mtz and ctruncate)"
ORIENTATION = f"{FACTORS}; an orientation is given with -mat"
IMAGE = f"{FACTORS}, not an image; its geometry is taken with -img"
CONVERTED = f"{AMPLITUDES} (phenix.reflection_file_converter writes them to an MTZ file)"
# quantifiers that give nothing back: the time must not grow with the square of what a file holds
REAL = rb"[ \t]*+[+-]?[0-9]*+\.[0-9]++(?:e[+-]?[0-9]++)?(?=[\s+-])"
LINE_END = rb"[ \t]*+(?:\r\n?|\n)"

FOREIGN = (
    # packed
    _packed(rb"\x1f\x8b", "packed with gzip twice", "gunzip"),
    _packed(rb"BZh[1-9]1AY&SY", "packed with bzip2", "bunzip2"),
    _packed(rb"\xfd7zXZ\0", "packed with xz", "unxz"),
    _packed(rb"\x28\xb5\x2f\xfd", "packed with zstd", "unzstd"),
    _packed(rb"\x1f[\x9d\xa0]", "packed with compress (.Z)", "uncompress"),
    _packed(rb"PK(?:\x03\x04|\x05\x06)", "a ZIP archive", "unzip"),
    _packed(rb"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x"),
    _packed(rb".{257}ustar", "a tar archive", "tar -xf"),
    # binary
    _foreign(
        rb"\xff\xfe|\xfe\xff|(?:[\t\r\n -~]\0){4}|(?:\0[\t\r\n -~]){4}",
        "text in UTF-16",
        "plain text (ASCII or UTF-8)",
    ),
    _foreign(rb"\x89HDF\r\n\x1a\n", "an HDF5 file (NeXus)", IMAGE),
    _foreign(rb"\x93NUMPY", "an array of NumPy (.npy)", FACTORS),
    _foreign(
        rb"[\x80-\x9f\xdc-\xdf][\0-\xff]{0,4}dials::af::reflection_table",
        "a reflection table of DIALS (.refl)",
        f"{AMPLITUDES} (dials.merge writes them to an MTZ file)",
    ),
    _foreign(rb"[\x80-\x8f](?=[\0-\xff]*?dataBlocks)", "a BinaryCIF file", "its text (mmCIF)"),
    _foreign(rb"[\x80-\x8f\xde](?=[\0-\xff]*?mmtfVersion)", "an MMTF file", "mmCIF or PDB"),
    _foreign(rb"\x80[\x02-\x05][\x95(}\]c]", "an object of Python (pickle)", FACTORS),
    _foreign(rb"[\0-\xff]{208}MAP ", "a CCP4 or MRC map", f"{FACTORS} (gemmi map2sf transforms a map)"),
    _foreign(rb"II\*\0|MM\0\*", "a TIFF or MarCCD image", IMAGE),
    _foreign(rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a", "a picture (PNG, JPEG, GIF)", FACTORS),
    _foreign(rb"\{\s*HEADER_BYTES", "an SMV image", IMAGE),
    _foreign(rb"###_?CBF", "a CBF image", IMAGE),
    _foreign(rb"%PDF-", "a PDF document", FACTORS),
    _foreign(
        rb"\s*+<(?:!doctype\s+html|html|head|body)", "a web page (HTML)", f"{FACTORS}; look at what it says"
    ),
    _foreign(rb"\s*+<[?!a-z]", "an XML file", FACTORS),
    # DIALS and JSON
    _foreign(
        rb"\s*+\{(?=[\0-\xff]*?\"__id__\"\s*:\s*\"ExperimentList\")",
        "an experiment list of DIALS (.expt)",
        ORIENTATION,
    ),
    _foreign(rb"\s*+[{\[]\s*+[\"{\[]", "a JSON file", FACTORS),
    # XDS
    _foreign(rb"\s*G?XPARM\.XDS\b", "XPARM.XDS, the geometry of XDS", ORIENTATION),
    _foreign(rb"!FORMAT=XDS_ASCII\b", "XDS_ASCII.HKL, intensities of XDS", XDS),
    _foreign(rb"!OUTPUT_FILE=INTEGRATE\.HKL\b", "INTEGRATE.HKL, intensities of XDS", XDS),
    _foreign(rb"!(?=[\0-\xff]*?^![A-Z_]+=)", "a file of XDS", XDS),
    # HKL-2000
    _foreign(
        rb"[ \t]*+1" + LINE_END + rb"[ \t]*+-?[0-9]++" + LINE_END + rb"(?:" + REAL + rb"){6}[ \t]+[a-z]",
        "a SCALEPACK file of intensities (.sca)",
        f"{AMPLITUDES} (scalepack2mtz and ctruncate write them to an MTZ file)",
    ),
    _foreign(
        rb"[ \t]*+[0-9]++[ \t]++[a-z][a-z0-9/]*+" + LINE_END + rb"(?:[ \t]*-?[01]){9}" + LINE_END,
        "a SCALEPACK file of unmerged intensities (.sca)",
        f"merged {AMPLITUDES} (pointless, aimless and ctruncate write them to an MTZ file)",
    ),
    _foreign(
        rb"[^\r\n]*+" + LINE_END + rb"(?:(?:" + REAL + rb"){6}" + LINE_END + rb"){3}",
        "a DENZO file (.x)",
        f"{AMPLITUDES} (scale it with SCALEPACK)",
    ),
    # others
    _foreign(
        rb"(?:\s|\{[^}]*+\}|[!#][^\r\n]*+)*+(?:NREF[A-Z]*\s*=|INDE[A-Z]*(?:\s+-?[0-9]+){3}|DECL[A-Z]*\s+NAME\s*=)",
        "a reflection file of CNS or X-PLOR",
        "MTZ or mmCIF (phenix.reflection_file_converter writes it)",
    ),
    _foreign(
        rb"CrystFEL reflection list",
        "a reflection list of CrystFEL",
        f"{AMPLITUDES} (get_hkl --output-format=mtz and ctruncate write them to an MTZ file)",
    ),
    _foreign(rb"CrystFEL (?:stream|unit cell)", "a file of CrystFEL", FACTORS),
    _foreign(
        rb"(?:[ \t]*+[0-9]++){3}[^\r\n]*+" + LINE_END + rb"nH\b", "a reflection file of d*TREK", CONVERTED
    ),
    _foreign(
        rb"\s*+(?=TITL|REM|CELL)(?=[\0-\xff]*?^CELL[ \t]+[0-9])(?=[\0-\xff]*?^(?:ZERR|LATT|SFAC)[ \t])",
        "a SHELX model (.res, .ins)",
        "its CIF file (ACTA in SHELXL writes it)",
    ),
    _foreign(rb"(?:-?[0-9]+ ){5}-?[0-9]+\n\f", "a cache of structure factors", "it with -dump, not -hkl"),
)
"""The files that people who do this job have beside the right one, in the order of the search."""

SHELX = Foreign(
    re.compile(rb""),
    "a SHELX file of intensities (HKLF 4)",
    f"{AMPLITUDES} (the .fcf file of SHELXL has them, or f2mtz and ctruncate write them)",
)
SHELX_INDEX = re.compile(rb"[ ]*[+-]?[0-9]+")
SHELX_FIELDS = ((0, 4), (4, 8), (8, 12), (12, 20), (20, 28))
"""Columns of h, k, l, F^2 and sigma: 3I4, 2F8.2."""

MTZ_MAGIC = b"MTZ "
PDB_RECORDS = frozenset(
    b"HEADER OBSLTE TITLE SPLIT CAVEAT COMPND SOURCE KEYWDS EXPDTA NUMMDL MDLTYP AUTHOR REVDAT SPRSDE JRNL"
    b" REMARK DBREF DBREF1 DBREF2 SEQADV SEQRES MODRES HET HETNAM HETSYN FORMUL HELIX SHEET SSBOND LINK"
    b" CISPEP SITE CRYST1 ORIGX1 SCALE1 MTRIX1 MODEL ATOM ANISOU HETATM USER".split()
)
PDB_ATOM = re.compile(rb"^(?:ATOM  |HETATM)[^\r\n]{24}(?:[ 0-9+-]{4}\.[0-9 ]{3}){3}", re.MULTILINE)
TEXT_FIELD = re.compile(rb"^;.*?^;", re.MULTILINE | re.DOTALL)
UNMERGED = re.compile(rb"(?<!\S)_diffrn_refln[._]", re.IGNORECASE)
CIF_ITEMS = (
    (re.compile(rb"(?<!\S)_refln\.", re.IGNORECASE), Kind.MMCIF_REFLECTIONS),
    (re.compile(rb"(?<!\S)_refln_index_h(?!\S)", re.IGNORECASE), Kind.CIF_REFLECTIONS),
    (re.compile(rb"(?<!\S)_atom_site\.", re.IGNORECASE), Kind.MMCIF_ATOMS),
    (re.compile(rb"(?<!\S)_atom_site_fract_x(?!\S)", re.IGNORECASE), Kind.CIF_ATOMS),
)


def kind_of(path: str, content: bytes) -> Kind | None:
    """What the content of a file is; None for a text list of F2.7, right or wrong.

    Raises: InputFileError for a file that is recognised and not read. Source: F2.8, F2.9.
    """
    content = content.removeprefix(BYTE_ORDER_MARK)
    head = content[:HEAD_BYTES]
    if head.startswith(MTZ_MAGIC):
        return Kind.MTZ
    refuse_foreign(path, content)
    first = _first_line(head, comments=False)
    if first[:6].rstrip() in PDB_RECORDS:
        return Kind.PDB
    if first.lstrip()[:5].lower() == b"data_":
        return _kind_of_cif(path, content)
    return Kind.PDB if PDB_ATOM.search(head) else None


def refuse_foreign(path: str, content: bytes) -> None:
    """Raise InputFileError that names the file if it is one of ``FOREIGN``, or a SHELX list."""
    head = content.removeprefix(BYTE_ORDER_MARK)[:HEAD_BYTES]
    found = next((foreign for foreign in FOREIGN if foreign.beginning.match(head)), None)
    if found is None and _is_shelx_list(head):
        found = SHELX
    if found is not None:
        raise InputFileError(f"{path}: is {found.name}: expected {found.expected}")


def _first_line(head: bytes, comments: bool) -> bytes:
    """The first line that is not blank; ``comments`` says whether one that begins with # counts."""
    for line in re.split(rb"[\r\n]+", head):
        if line.strip() and (comments or not line.lstrip().startswith(b"#")):
            return line
    return b""


def _is_shelx_list(head: bytes) -> bool:
    """Whether the first line has the fields of HKLF 4 and is no record of F2.7."""
    first = _first_line(head, comments=True)
    tokens = first.split()
    if len(tokens) % 4 == 0 and all(map(NUMBER.fullmatch, tokens)):
        return False
    fields = [first[begin:end] for begin, end in SHELX_FIELDS]
    return all(map(SHELX_INDEX.fullmatch, fields[:3])) and all(
        NUMBER.fullmatch(field.strip()) for field in fields[3:]
    )


def _kind_of_cif(path: str, content: bytes) -> Kind:
    """By the first of the items that stands outside of a text field."""
    items = TEXT_FIELD.sub(b"", content)
    for item, kind in CIF_ITEMS:
        if item.search(items):
            return kind
    if UNMERGED.search(items):
        raise InputFileError(
            f"{path}: is a CIF file of unmerged reflections (_diffrn_refln): expected {AMPLITUDES}"
        )
    raise InputFileError(
        f"{path}: is a CIF file: expected reflections (_refln) or coordinates (_atom_site), got neither"
    )
