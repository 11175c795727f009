"""The readers of the simulator by themselves: Hypothesis draws the bytes, and shortens what fails."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import gemmi
import hypothesis
import numpy as np
from corpus import CLEAN
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from mutation import EXTREMES, PIECES, mutated

from nanobrag_torch.command_line.flags import BY_SPELLING
from nanobrag_torch.command_line.scan import StopEarly, scan
from nanobrag_torch.errors import InputFileError, UsageError
from nanobrag_torch.formats import amorphous, fdump, hkl, matrix, smv, smv_header, sources
from nanobrag_torch.formats.crystallographic import CrystallographicFile
from nanobrag_torch.formats.input_file import read_input
from nanobrag_torch.formats.recognise import kind_of

EXAMPLES = 200
LONGEST_MESSAGE = 600
DMIN_M = 3e-10
BOX = (30.0, 40.0, 50.0, 90.0, 90.0, 90.0)
BEAM = (-10.0, 0.0, 0.0, 1.0, 1e-10)

Reader = Callable[[str], object]


@dataclass(frozen=True)
class Parser:
    """A reader, and the seeds of its kind of file."""

    name: str
    read: Reader
    seeds: Sequence[bytes]


def read_sources(path: str) -> object:
    """The source list with defaults for its columns."""
    return sources.read(path, BEAM)


def read_words(path: str) -> object:
    """The scan of a command line, one word on each line of a file."""
    words = Path(path).read_bytes().decode("utf-8", "surrogateescape").split("\n")
    return scan(words)


def read_crystallographic(path: str) -> object:
    """Reflections or coordinates of the formats of others, by their content."""
    content = read_input(path)
    kind = kind_of(path, content)
    if kind is None:
        return hkl.parsed(path, content)
    return CrystallographicFile(path, content, kind, None).listed(DMIN_M, BOX)


def mtz_file() -> bytes:
    """Three reflections."""
    made = gemmi.Mtz(with_base=True)
    made.spacegroup = gemmi.SpaceGroup("P 21 21 21")
    made.set_cell_for_all(gemmi.UnitCell(30, 40, 50, 90, 90, 90))
    made.add_dataset("native")
    made.add_column("FP", "F")
    made.set_data(np.array([[1, 2, 3, 10], [2, 3, 4, 5.5], [0, 0, 4, 7]], dtype=np.float32))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.mtz"
        made.write_to_file(str(path))
        return path.read_bytes()


CIF_CELL = b"""data_x
_cell.length_a 30
_cell.length_b 40
_cell.length_c 50
_cell.angle_alpha 90
_cell.angle_beta 90
_cell.angle_gamma 90
_symmetry.space_group_name_H-M 'P 21 21 21'
loop_
"""
CIF_REFLECTIONS = (
    CIF_CELL
    + b"""_refln.index_h
_refln.index_k
_refln.index_l
_refln.F_meas_au
1 2 3 10
2 3 4 5.5
0 0 4 7
"""
)
CIF_ATOMS = (
    CIF_CELL
    + b"""_atom_site.group_PDB
_atom_site.id
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_alt_id
_atom_site.label_comp_id
_atom_site.label_asym_id
_atom_site.label_seq_id
_atom_site.auth_asym_id
_atom_site.auth_seq_id
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.occupancy
_atom_site.B_iso_or_equiv
ATOM 1 N N . ALA A 1 A 1 1.0 2.0 3.0 1.0 10.0
ATOM 2 C CA . ALA A 1 A 1 2.0 2.0 3.0 1.0 12.0
"""
)
PDB = b"""CRYST1   30.000   40.000   50.000  90.00  90.00  90.00 P 21 21 21
ATOM      1  N   ALA A   1       1.000   2.000   3.000  1.00 10.00           N
ATOM      2  CA  ALA A   1       2.000   2.500   3.000  1.00 12.00           C
END
"""
COMMAND_LINES = (
    b"-cell\n10\n12\n14\n85\n95\n100\n-default_F\n3\n-N\n5\n-roi\n0\n3\n-1\n-1",
    b"-misset\nrandom\n-misset_seed\n7\n-detector_abs\ninf\n-pivot\nbeam\n-dtype\nfloat64",
    "\n".join(BY_SPELLING).encode(),
)
PARSERS = (
    Parser("hkl.read", hkl.read, (CLEAN["hkl"],)),
    Parser("fdump.read", fdump.read, (CLEAN["dump"],)),
    Parser("matrix.read", matrix.read, (CLEAN["mat"],)),
    Parser("sources.read", read_sources, (CLEAN["sourcefile"],)),
    Parser("amorphous.read", amorphous.read, (CLEAN["stol"],)),
    Parser("smv_header.read_header", smv_header.read_header, (CLEAN["img"],)),
    Parser("smv.read_pixels", smv.read_pixels, (CLEAN["mask"],)),
    Parser("crystallographic.read", read_crystallographic, (mtz_file(), CIF_REFLECTIONS, PDB, CIF_ATOMS)),
    Parser("scan", read_words, COMMAND_LINES),
)


def contents(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Changed seeds, sequences of tokens, and any bytes."""
    randoms = st.randoms(use_true_random=False)
    changed = st.builds(lambda rng: mutated(rng, seeds), randoms)
    tokens = st.sampled_from([*EXTREMES, *PIECES, b" ", b"\n", b" ", b"\n"])
    return st.one_of(changed, changed, st.lists(tokens, max_size=40).map(b"".join), st.binary(max_size=700))


def require_one_line(message: str, path: str) -> None:
    """A message is one line of bounded length that names the file."""
    assert "\n" not in message and "\r" not in message, message
    assert len(message) < LONGEST_MESSAGE, message
    assert path in message, message


def require_clean_end(parser: Parser, path: Path) -> bool:
    """Read a file: whether it was accepted. Every other end than an error of the user's is a failure."""
    try:
        parser.read(str(path))
    except InputFileError as error:
        require_one_line(str(error), str(path))
        return False
    except UsageError as error:
        assert "\n" not in str(error), error
        return False
    except StopEarly:
        pass
    return True


@dataclass
class Round:
    """What one round of examples came to."""

    inputs: int = 0
    accepted: int = 0
    failure: str = ""
    content: bytes = b""


def one_round(parser: Parser, seed: int, folder: Path) -> Round:
    """Draw ``EXAMPLES`` files; stops at the first failure, with the shortest file that fails."""
    result = Round()
    path = folder / "file"

    @hypothesis.seed(seed)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(contents(parser.seeds))
    def examples(content: bytes) -> None:
        result.content = content
        path.write_bytes(content)
        result.inputs += 1
        result.accepted += require_clean_end(parser, path)

    try:
        examples()
    except Exception as error:
        result.failure = f"{type(error).__name__}: {error}"
    return result


def random_seed(seed: int, name: str, number: int) -> int:
    """Seed of one round of one parser."""
    return Random(f"{seed}/{name}/{number}").getrandbits(32)
