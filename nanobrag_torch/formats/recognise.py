"""What an input file is, by its content alone; the name says nothing (F1.6, F2.8, F2.9, F4.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.input_file import BYTE_ORDER_MARK, NUMBER

HEAD_BYTES = 1 << 16
"""What tells the kind of a file lies within these."""


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


class Wanted(Enum):
    """What a reader expects; the value is the words of a message."""

    FACTORS = "structure factors (h k l F, MTZ, mmCIF) or coordinates (PDB, mmCIF, CIF)"
    CACHE = "a cache of structure factors"
    MATRIX = "the nine numbers of a MOSFLM matrix"
    LINES = "lines of numbers (ASCII or UTF-8)"
    IMAGE = "an SMV image"


READS_NUMBERS = frozenset({Wanted.FACTORS, Wanted.MATRIX})
"""Readers that can tell their numbers from those of another file, which every list of numbers cannot."""


class Foreign(NamedTuple):
    """A format: how it begins, what it is, what is expected in its place, and who does not read it."""

    beginning: re.Pattern[bytes]
    name: str
    expected: Mapping[Wanted, str]
    refused_by: frozenset[Wanted]


def _foreign(
    beginning: bytes,
    name: str,
    factors: str = Wanted.FACTORS.value,
    matrix: str = Wanted.MATRIX.value,
    refused_by: Iterable[Wanted] = Wanted,
) -> Foreign:
    pattern = re.compile(beginning, re.IGNORECASE | re.MULTILINE)
    return Foreign(pattern, name, {Wanted.FACTORS: factors, Wanted.MATRIX: matrix}, frozenset(refused_by))


def _held(beginning: bytes, name: str, held: str) -> Foreign:
    """What holds the file that is wanted, whichever that is."""
    return Foreign(re.compile(beginning, re.DOTALL), name, dict.fromkeys(Wanted, held), frozenset(Wanted))


TEXT = "plain text (ASCII or UTF-8)"
AMPLITUDES = "amplitudes, not intensities"
XDS = f"{AMPLITUDES} (XDSCONV writes them from XDS_ASCII.HKL, or gemmi xds2mtz and ctruncate)"
ORIENTATION = f"{Wanted.FACTORS.value}; an orientation is given with -mat"
DIALS_MATRIX = f"{Wanted.MATRIX.value} (dials.export format=mosflm writes them)"
XPARM = (
    "XPARM.XDS, the geometry of XDS",
    ORIENTATION,
    f"{Wanted.MATRIX.value} (dials.import_xds, then dials.export format=mosflm)",
)
DENZO = (
    "a DENZO file (.x)",
    f"{AMPLITUDES} (scale it with SCALEPACK)",
    f"{Wanted.MATRIX.value}; the matrix of DENZO is in other axes",
)
IMAGE = f"{Wanted.FACTORS.value}, not an image; its geometry is taken with -img"
CONVERTED = f"{AMPLITUDES} (phenix.reflection_file_converter writes them to an MTZ file)"
# quantifiers that give nothing back: the time must not grow with the square of what a file holds
REAL = rb"[ \t]*+[+-]?[0-9]*+\.[0-9]++(?:e[+-]?[0-9]++)?(?=[\s+-])"
LINE_END = rb"[ \t]*+(?:\r\n?|\n)"
# of a file that may be a matrix, just as its reader and the C programs take numbers and lines (F1.6)
BLANKS = rb"[ \t\r\v\f]*+"
ANY_NUMBER = BLANKS + rb"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:e[+-]?[0-9]++)?+(?=\s|\Z)"
ANY_END = BLANKS + rb"(?:\n|\Z)"

FOREIGN = (
    # packed
    _held(rb"\x1f\x8b", "packed with gzip twice", "the file in it (gunzip)"),
    _held(rb"BZh[1-9]1AY&SY", "packed with bzip2", "the file in it (bunzip2)"),
    _held(rb"\xfd7zXZ\0", "packed with xz", "the file in it (unxz)"),
    _held(rb"\x28\xb5\x2f\xfd", "packed with zstd", "the file in it (unzstd)"),
    _held(rb"\x1f[\x9d\xa0]", "packed with compress (.Z)", "the file in it (uncompress)"),
    _held(rb"PK(?:\x03\x04|\x05\x06)", "a ZIP archive", "the file in it (unzip)"),
    _held(rb"7z\xbc\xaf\x27\x1c", "a 7z archive", "the file in it (7z x)"),
    _held(rb".{257}ustar", "a tar archive", "the file in it (tar -xf)"),
    # binary
    _held(rb"\xff\xfe\0\0|\0\0\xfe\xff", "text in UTF-32", TEXT),
    _held(rb"\xff\xfe|\xfe\xff|(?:[^\0]\0){2}|(?:\0[^\0]){2}", "text in UTF-16", TEXT),
    _foreign(rb"\x89HDF\r\n\x1a\n", "an HDF5 file (NeXus)", IMAGE),
    _foreign(rb"\x93NUMPY", "an array of NumPy (.npy)"),
    _foreign(
        rb"[\x80-\x9f\xdc-\xdf][\0-\xff]{0,4}dials::af::reflection_table",
        "a reflection table of DIALS (.refl)",
        f"{AMPLITUDES} (dials.merge writes them to an MTZ file)",
    ),
    _foreign(rb"[\x80-\x8f](?=[\0-\xff]*?dataBlocks)", "a BinaryCIF file", "its text (mmCIF)"),
    _foreign(rb"[\x80-\x8f\xde](?=[\0-\xff]*?mmtfVersion)", "an MMTF file", "mmCIF or PDB"),
    _foreign(rb"\x80[\x02-\x05][\x95(}\]c]", "an object of Python (pickle)"),
    _foreign(
        rb"(?=[\0-\xff]{0,15}?\0)[\0-\xff]{208}MAP ",
        "a CCP4 or MRC map",
        f"{Wanted.FACTORS.value} (gemmi map2sf transforms a map)",
    ),
    _foreign(rb"II\*\0|MM\0\*", "a TIFF or MarCCD image", IMAGE),
    _foreign(rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a", "a picture (PNG, JPEG, GIF)"),
    _foreign(rb"\{\s*HEADER_BYTES", "an SMV image", IMAGE, refused_by={*Wanted} - {Wanted.IMAGE}),
    _foreign(rb"###_?CBF", "a CBF image", IMAGE),
    _foreign(rb"%PDF-", "a PDF document"),
    _foreign(
        rb"\s*+<(?:!doctype\s+html|html|head|body)",
        "a web page (HTML)",
        f"{Wanted.FACTORS.value}; look at what it says",
    ),
    _foreign(rb"\s*+<[?!a-z]", "an XML file"),
    # DIALS and JSON
    _foreign(
        rb"\s*+\{(?=[\0-\xff]*?\"__id__\"\s*:\s*\"ExperimentList\")",
        "an experiment list of DIALS (.expt)",
        ORIENTATION,
        DIALS_MATRIX,
    ),
    _foreign(rb"\s*+[{\[]\s*+[\"{\[]", "a JSON file", matrix=DIALS_MATRIX),
    # XDS
    _foreign(rb"\s*+G?XPARM\.XDS\b", *XPARM),
    # without its name: frame, angle, step and axis, then wavelength and beam
    _foreign(
        rb"[ \t]*+[0-9]++(?=[ \t])(?:"
        + ANY_NUMBER
        + rb"){5}"
        + ANY_END
        + rb"(?:"
        + ANY_NUMBER
        + rb"){4}"
        + ANY_END,
        *XPARM,
        refused_by=READS_NUMBERS,
    ),
    _foreign(rb"!FORMAT=XDS_ASCII\b", "XDS_ASCII.HKL, intensities of XDS", XDS),
    _foreign(rb"!OUTPUT_FILE=INTEGRATE\.HKL\b", "INTEGRATE.HKL, intensities of XDS", XDS),
    _foreign(rb"!(?=[\0-\xff]*?^![A-Z_]+=)", "a file of XDS", XDS),
    # HKL-2000
    _foreign(
        rb"[ \t]*+1" + LINE_END + rb"[ \t]*+-?[0-9]++" + LINE_END + rb"(?:" + REAL + rb"){6}[ \t]+[a-z]",
        "a SCALEPACK file of intensities (.sca)",
        f"{AMPLITUDES} (scalepack2mtz and ctruncate write them to an MTZ file)",
        refused_by=READS_NUMBERS,
    ),
    _foreign(
        rb"[ \t]*+[0-9]++[ \t]++[a-z][a-z0-9/]*+" + LINE_END + rb"(?:[ \t]*-?[01]){9}" + LINE_END,
        "a SCALEPACK file of unmerged intensities (.sca)",
        f"merged {AMPLITUDES} (pointless, aimless and ctruncate write them to an MTZ file)",
        refused_by=READS_NUMBERS,
    ),
    # a list may have a comment before lines of six columns, but not six fractions
    _foreign(
        rb"(?!(?:"
        + ANY_NUMBER
        + rb")++"
        + ANY_END
        + rb")[^\r\n]*+"
        + LINE_END
        + rb"(?:(?:"
        + REAL
        + rb"){6}"
        + LINE_END
        + rb"){3}",
        *DENZO,
        refused_by=[Wanted.FACTORS],
    ),
    _foreign(
        rb"(?!(?:"
        + ANY_NUMBER
        + rb")++"
        + ANY_END
        + rb")(?!"
        + BLANKS
        + rb"\n)[^\n]*+\n"
        + rb"(?:(?:"
        + ANY_NUMBER
        + rb"){6}"
        + ANY_END
        + rb"){3}",
        *DENZO,
        refused_by=[Wanted.MATRIX],
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
    _foreign(rb"CrystFEL (?:stream|unit cell)", "a file of CrystFEL"),
    _foreign(
        rb"(?:[ \t]*+[0-9]++){3}[^\r\n]*+" + LINE_END + rb"nH\b", "a reflection file of d*TREK", CONVERTED
    ),
    _foreign(
        rb"\s*+(?=TITL|REM|CELL)(?=[\0-\xff]*?^CELL[ \t]+[0-9])(?=[\0-\xff]*?^(?:ZERR|LATT|SFAC)[ \t])",
        "a SHELX model (.res, .ins)",
        "its CIF file (ACTA in SHELXL writes it)",
    ),
    _foreign(
        rb"(?:-?[0-9]+ ){5}-?[0-9]+\n\f",
        "a cache of structure factors",
        "it with -dump, not -hkl",
        refused_by=READS_NUMBERS,
    ),
)
"""The files that people who do this job have beside the right one, in the order of the search."""

SHELX = _foreign(
    rb"",
    "a SHELX file of intensities (HKLF 4)",
    f"{AMPLITUDES} (the .fcf file of SHELXL has them, or f2mtz and ctruncate write them)",
    refused_by={Wanted.FACTORS},
)
SHELX_INDEX = re.compile(rb"[ ]*[+-]?[0-9]+")
SHELX_FIELDS = ((0, 4), (4, 8), (8, 12), (12, 20), (20, 28))
"""Columns of h, k, l, F^2 and sigma: 3I4, 2F8.2."""

MTZ_MAGIC = b"MTZ "
CIF = "a CIF file"
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
    _refuse_foreign(path, head, Wanted.FACTORS)
    first = _first_line(head, comments=False)
    if _is_pdb(first):
        return Kind.PDB
    if _is_cif(first):
        return _kind_of_cif(path, content)
    return Kind.PDB if PDB_ATOM.search(head) else None


def refuse_other_kinds(path: str, content: bytes, wanted: Wanted) -> None:
    """Raise InputFileError that names ``path`` and what it is, where that is known and not ``wanted``.

    ``content`` may be the beginning of it. For readers of anything but structure factors, which
    ``kind_of`` is for. Source: F1.6, F2.9, F4.5.
    """
    head = content.removeprefix(BYTE_ORDER_MARK)[:HEAD_BYTES]
    _refuse_foreign(path, head, wanted)
    first = _first_line(head, comments=False)
    for name, found in (
        (Kind.MTZ.value, head.startswith(MTZ_MAGIC)),
        (Kind.PDB.value, _is_pdb(first)),
        (CIF, _is_cif(first)),
    ):
        if found:
            raise InputFileError(f"{path}: is {name}: expected {wanted.value}")


def _refuse_foreign(path: str, head: bytes, wanted: Wanted) -> None:
    """Raise InputFileError for the first row of the table that fits, of those that the reader refuses."""
    rows = [foreign for foreign in FOREIGN if wanted in foreign.refused_by]
    found = next((foreign for foreign in rows if foreign.beginning.match(head)), None)
    if found is None and wanted in SHELX.refused_by and _is_shelx_list(head):
        found = SHELX
    if found is not None:
        expected = found.expected.get(wanted, wanted.value)
        raise InputFileError(f"{path}: is {found.name}: expected {expected}")


def _is_pdb(first: bytes) -> bool:
    return first[:6].rstrip() in PDB_RECORDS


def _is_cif(first: bytes) -> bool:
    return first.lstrip()[:5].lower() == b"data_"


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
        f"{path}: is {CIF}: expected reflections (_refln) or coordinates (_atom_site), got neither"
    )
