"""The readers of the simulator by themselves: Hypothesis draws the bytes, and shortens what fails."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Callable, Sequence
from contextlib import chdir, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import hypothesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from mutation import EXTREMES, PIECES, mutated

from nanobrag_torch.advice import NanoBragWarning
from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.command_line.required_input import require_inputs, with_default_cache
from nanobrag_torch.command_line.scan import StopEarly
from nanobrag_torch.errors import InputFileError, UsageError
from nanobrag_torch.formats import amorphous, coordinates, fdump, hkl, matrix, smv, sources
from nanobrag_torch.formats.crystallographic import CrystallographicFile
from nanobrag_torch.formats.input_file import read_input
from nanobrag_torch.formats.recognise import Kind, Wanted, kind_of, refuse_other_kinds

EXAMPLES = 200
LONGEST_MESSAGE = 1200
"""Two lists of names, and what stands around them."""
LONGEST_ADVICE = 1200
"""Advice may list ten keys of a header, or every choice of columns."""
DMIN_M = 6e-10
BOX = (15.0, 20.0, 25.0, 90.0, 90.0, 90.0)
BEAM = (-10.0, 0.0, 0.0, 1.0, 1e-10)
LARGEST_TABLE = 1 << 14
"""Tables above this are refused, as on a machine without the memory: legal files may ask for gigabytes, and
filling them would take all the time."""
COLUMNS = (None, "I", "I(+)")
"""What ``-hkl_column`` says where a file has squares only: they are in the seeds under these names."""

Reader = Callable[[str], object]


@dataclass(frozen=True)
class Parser:
    """A reader; the kind of file of the corpus that it reads, which the C programs read as well, if any."""

    name: str
    read: Reader
    kind: str = ""
    names_file: bool = True


def read_sources(path: str) -> object:
    """The source list with defaults for its columns."""
    return sources.read(path, BEAM)


def asked(words: Sequence[str]) -> Request:
    """What a command line asks for, its advice said."""
    request, advice = parse(words)
    for said in advice:
        warnings.warn(said, stacklevel=1)
    return request


def read_header(path: str) -> object:
    """The header of an image and of a mask, and what is said of it."""
    return asked(["-img", path]), asked(["-mask", path, "-xds"])


def read_command_line(path: str) -> object:
    """A command line, one word on each line of a file, that may name the good files beside it."""
    words = Path(path).read_bytes().decode("utf-8", "surrogateescape").split("\n")
    with chdir(Path(path).parent):
        request = asked(words)
        require_inputs(with_default_cache(request))
    return request


def recognised(path: str) -> object:
    """What every reader makes of a file before it reads it."""
    content = read_input(path)
    for wanted in Wanted:
        with suppress(InputFileError):
            refuse_other_kinds(path, content, wanted)
    return kind_of(path, content)


def listed(path: str, content: bytes, kind: Kind) -> object:
    """The P1 list of a file of others; squares are asked for by name."""
    for column in COLUMNS:
        try:
            return CrystallographicFile(path, content, kind, column).listed(DMIN_M, BOX)
        except InputFileError as error:
            refusal = error
            if "-hkl_column" not in str(error):
                break
    raise refusal


def reader_of(kind: Kind) -> Reader:
    """A function that takes any file for one of a kind."""
    return lambda path: listed(path, read_input(path), kind)


def read_packed(path: str) -> object:
    """What a file holds after being packed, and damaged where its first two bytes say.

    The bytes of a gzip file by themselves would hardly ever have the right sum at their end.
    """
    drawn = Path(path).read_bytes()
    damage, content = drawn[:2], drawn[2:]
    packed = gzip.compress(content, compresslevel=1, mtime=0)
    if len(damage) == 2 and damage[1]:
        place = damage[0] % len(packed)
        packed = packed[:place] + bytes([packed[place] ^ damage[1]]) + packed[place + 1 :]
    Path(path).write_bytes(packed)
    unpacked = read_input(path)
    assert unpacked in (content, packed), "a damaged file is unpacked to something else"
    kind = kind_of(path, unpacked)
    return hkl.parsed(path, unpacked) if kind is None else listed(path, unpacked, kind)


PARSERS = (
    Parser("hkl.read", hkl.read, "hkl"),
    Parser("fdump.read", fdump.read, "dump"),
    Parser("matrix.read", matrix.read, "mat"),
    Parser("sources.read", read_sources, "sourcefile"),
    Parser("amorphous.read", amorphous.read, "stol"),
    Parser("smv_header", read_header, "img"),
    Parser("smv.read_pixels", smv.read_pixels, "mask"),
    Parser("mtz", reader_of(Kind.MTZ)),
    Parser("mmcif_reflections", reader_of(Kind.MMCIF_REFLECTIONS)),
    Parser("cif_reflections", reader_of(Kind.CIF_REFLECTIONS)),
    Parser("pdb", reader_of(Kind.PDB)),
    Parser("mmcif_coordinates", reader_of(Kind.MMCIF_ATOMS)),
    Parser("cif_coordinates", reader_of(Kind.CIF_ATOMS)),
    Parser("gzip", read_packed),
    Parser("recognise", recognised),
    Parser("parse", read_command_line, "command line", names_file=False),
)


def limit_tables() -> None:
    """Refuse tables above ``LARGEST_TABLE`` in this process, in the words of the readers."""
    hkl.MAX_TABLE_ENTRIES = coordinates.MAX_TABLE_ENTRIES = LARGEST_TABLE


def contents(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Changed seeds, sequences of tokens, and any bytes."""
    randoms = st.randoms(use_true_random=False)
    changed = st.builds(lambda rng: mutated(rng, seeds), randoms)
    tokens = st.sampled_from([*EXTREMES, *PIECES, b" ", b"\n", b" ", b"\n"])
    return st.one_of(changed, changed, st.lists(tokens, max_size=40).map(b"".join), st.binary(max_size=700))


def require_one_line(message: str, longest: int = LONGEST_MESSAGE) -> None:
    """A message is one line of bounded length."""
    assert "\n" not in message and "\r" not in message, message
    assert len(message) < longest, message


def require_clean_end(parser: Parser, path: Path) -> bool:
    """Read a file: whether it was accepted. Every other end than an error of the user's is a failure."""
    with warnings.catch_warnings(record=True) as advice:
        warnings.simplefilter("always")
        try:
            parser.read(str(path))
        except (InputFileError, UsageError) as error:
            if parser.names_file:
                require_one_line(str(error))
                assert str(path) in str(error), error
            return False
        except StopEarly:
            pass
    for said in advice:
        assert issubclass(said.category, NanoBragWarning), said
        require_one_line(str(said.message), LONGEST_ADVICE)
    return True


@dataclass
class Round:
    """What one round of examples came to."""

    inputs: int = 0
    accepted: int = 0
    failure: str = ""
    content: bytes = b""


def one_round(parser: Parser, seeds: Sequence[bytes], seed: int, folder: Path) -> Round:
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
    @hypothesis.given(contents(seeds))
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
