"""Where the fuzzers start: the corpus, files that the tests of the readers read, and the field cases."""

from __future__ import annotations

import os
import re
import shlex
import struct
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("malformed", "nanobrag_torch/formats")]

import test_coordinates as models  # noqa: E402
import test_recognise as foreign  # noqa: E402
import test_reflections as reflections  # noqa: E402
from command_lines import END, START  # noqa: E402
from corpus import CLEAN, ENTRIES, GOOD_FILES, LINES_ACCEPTED, LINES_REFUSED  # noqa: E402
from mutation import EXTREMES, PIECES  # noqa: E402

from nanobrag_torch.command_line.flags import BY_SPELLING  # noqa: E402
from nanobrag_torch.formats.recognise import PDB_RECORDS  # noqa: E402

COMMAND_LINE = "command line"
LONGEST = 4096
"""Bytes of an input: room for a header and its pixels; longer ones only take longer."""
LONGEST_LINE = 512
"""Bytes of a command line: some forty options."""
LONGEST_SEED = 5000
LONGEST_TOKEN = 64
FIELD = Path(os.environ.get("NB_FIELD_DIR", ROOT.parent / "shared" / "field"))
COMMAND_LINES = (
    b"-cell\n10\n12\n14\n85\n95\n100\n-default_F\n3\n-N\n5\n-roi\n0\n3\n-1\n-1",
    b"-misset\nrandom\n-misset_seed\n7\n-detector_abs\ninf\n-pivot\nbeam\n-dtype\nfloat64",
    "\n".join(BY_SPELLING).encode(),
)
CRYST1 = b"CRYST1   15.000   20.000   25.000  90.00  90.00  90.00 P 21 21 21\n"
ANISOU = b"ANISOU    1  C   LIG A   1      200    300    500     40     60    -30       C\n"
MTRIX = b"".join(
    b"MTRIX%d   1 %9.6f %9.6f %9.6f     %9.5f\n"
    % (row + 1, *(float(row == column) for column in range(3)), 5)
    for row in range(3)
)
ATOM_ITEMS = """group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id
    auth_asym_id auth_seq_id Cartn_x Cartn_y Cartn_z occupancy B_iso_or_equiv""".split()
MMCIF_ATOMS = (
    "loop_\n"
    + "".join(f"_atom_site.{name}\n" for name in ATOM_ITEMS)
    + "ATOM 1 N N . ALA A 1 A 1 1.0 2.0 3.0 1.0 10.0\nATOM 2 C CA . ALA A 1 A 1 2.0 2.0 3.0 1.0 12.0\n"
)


def seeds_of(kind: str) -> list[bytes]:
    """The clean file of a kind, and what the corpus holds of it, as long as it is short."""
    entries = [entry.content for entry in ENTRIES if entry.kind == kind]
    return [CLEAN[kind], *(data for data in entries if isinstance(data, bytes) and len(data) < LONGEST_SEED)]


def lines() -> list[bytes]:
    """Command lines, a word on each line: those of the corpus, every option, and those of the field cases."""
    found = [line.split() for line in (*LINES_REFUSED, *LINES_ACCEPTED)]
    found += [[spelling, *"1 2 3".split()[: flag.arity]] for spelling, flag in BY_SPELLING.items()]
    words = ["\n".join([*START.split(), *line, *END.split()]).encode() for line in found]
    field = [shlex.split(path.read_text())[1:] for path in sorted(FIELD.glob("*/cmd"))]
    return [*words, *COMMAND_LINES, *("\n".join(line).encode() for line in field)]


def mtz_files() -> Iterator[bytes]:
    """Means, pairs, differences, intensities and pairs of them."""
    columns: Sequence[Sequence[tuple[str, str]]] = (
        (("FP", "F"),),
        reflections.PAIR,
        (("FP", "F"), ("DANO", "D")),
        (("I", "J"), ("SIGI", "Q")),
        (("I(+)", "K"), ("I(-)", "K")),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.mtz"
        for labelled in columns:
            rows = [[1, 2, 3, 10, 1, 9, 1], [0, 3, 4, 5.5, 1, 6, 1], [0, 0, 4, 7, float("nan"), 7, 1]]
            reflections.mtz(path, labelled, [row[: 3 + len(labelled)] for row in rows])
            yield path.read_bytes()


def _texts(*texts: str) -> list[bytes]:
    return [text.encode() for text in texts]


def _readers() -> dict[str, list[bytes]]:
    """Good files of the formats that only the simulator reads."""
    cell = reflections.CIF.partition("loop_")[0]
    fcf = reflections.FCF.format(code=4)
    small = models.SMALL
    items = (
        ("F_meas_au", "10"),
        ("pdbx_F_plus\n_refln.pdbx_F_minus", "10 ?"),
        ("F_meas_au\n_refln.pdbx_anom_difference", "10 3"),
        ("intensity_meas", "-9.0(5)"),
    )
    return {
        "mtz": list(mtz_files()),
        "mmcif_reflections": _texts(
            *(f"{reflections.CIF}_refln.{item}\n1 2 3 {row}\n" for item, row in items)
        ),
        "cif_reflections": _texts(
            f"{fcf}{reflections.LIST_4}1 1 3 16.00 9.00 0.5 o\n2 0 1 4.00 -0.25 0.5 <\n",
            f"{fcf}{reflections.LIST_6}1 1 3 9.00 0.5 4.5 180\n2 0 1 1.00 0.5 2.5 0\n",
            f"{fcf}{reflections.LIST_3}1 1 3 3.00 0.5 4.5 1\n2 0 1 1.00 0.5 2.5 0\n",
        ),
        "pdb": [
            CRYST1 + models.ATOM.encode() + ANISOU + models.FAR.encode(),
            CRYST1 + MTRIX + models.ATOM.encode(),
            *_texts(*(dummy + models.ATOM for dummy in models.DUMMIES.values())),
        ],
        "mmcif_coordinates": _texts(cell + MMCIF_ATOMS, f"data_x\n{MMCIF_ATOMS}"),
        "cif_coordinates": _texts(small, small.replace(models.ANISOTROPIC, "").replace(" d\n", " dum\n")),
        "recognise": [content for content, _ in foreign.FILES.values()],
    }


def seeds(name: str, kind: str) -> list[bytes]:
    """What a reader of PARSERS starts from; ``kind`` is that of the corpus which it reads, if any."""
    if kind == COMMAND_LINE:
        return [line for line in lines() if len(line) <= LONGEST_LINE]
    if kind:
        return [seed for seed in seeds_of(kind) if len(seed) <= LONGEST]
    readers = _readers()
    good = [file for files in readers.values() for file in files]
    good += CLEAN.values()
    field = [path.read_bytes() for path in sorted(FIELD.glob("*/*")) if path.is_file()]
    if name == "gzip":
        # the first two bytes say where it is damaged, and how
        found = [struct.pack("BB", number, number % 3) + file for number, file in enumerate(good)]
    else:
        found = readers[name] if name != "recognise" else [*good, *field]
    return [file for file in found if len(file) <= LONGEST]


def tokens(name: str, kind: str) -> set[bytes]:
    """Pieces of which inputs of a reader are made: numbers at the edge, bytes with a meaning, keywords."""
    found = {*EXTREMES, *PIECES}
    if kind in ("img", "mask"):
        found |= set(re.findall(rb"[A-Z_0-9]+=", CLEAN["img"])) | {b"TYPE=signed_long;", b"TWOTHETA=5;"}
    elif kind == COMMAND_LINE:
        found |= {f"\n{spelling}\n".encode() for spelling in BY_SPELLING}
        found |= {f"\n{name}".encode() for name in GOOD_FILES}
    elif not kind:
        words = re.findall(rb"_[\w.\[\]-]+|[A-Z][A-Z0-9]{2,}|'[^'\n]*'", b"\n".join(seeds(name, kind)))
        found |= {*words, *PDB_RECORDS, b"loop_", b"data_", b"\n;\n", b"P 1", b"P 63/m m c", b"x,y,z"}
    return found


def dictionary(found: set[bytes]) -> str:
    """Tokens as libFuzzer reads them."""
    texts = (
        "".join(f"\\x{byte:02x}" for byte in token)
        for token in sorted(found)
        if 0 < len(token) <= LONGEST_TOKEN
    )
    return "".join(f'"{text}"\n' for text in texts)
