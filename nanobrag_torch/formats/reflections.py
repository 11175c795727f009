"""Amplitudes of files of reflections, MTZ and CIF: which column, and what its numbers stand for (F2.8)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from nanobrag_torch.advice import note, warn
from nanobrag_torch.constants import LARGEST_COUNT
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.hkl import Amplitudes, Indices
from nanobrag_torch.formats.input_file import shortened, shown
from nanobrag_torch.formats.recognise import Kind
from nanobrag_torch.formats.symmetry import Records, Symmetry, known, listed_group
from nanobrag_torch.formats.unit_cell import CellConstants, given_cell

if TYPE_CHECKING:
    import gemmi

LONGEST_NAME, LONGEST_NAMES = 100, 400
"""Characters of a name, and of all names that a message lists: a file may hold thousands of any length."""
MTZ_NUMBER_BYTES = 4
MTZ_RECORD_BYTES = 80
MTZ_COUNTS = re.compile(rb"NCOL\S*+((?:\s*+[+-]?[0-9]{1,20}+){1,3}+)", re.IGNORECASE)
"""The record of the header with the numbers of columns, reflections and batches."""
SIGNS = (("(+)", "(-)"), ("+", "-"), ("PLUS", "MINUS"), ("Plus", "Minus"), ("plus", "minus"), ("POS", "NEG"))
"""How labels tell the two members of an anomalous pair apart; the first that fits counts."""
MARKED = SIGNS[0]
"""The labels that nothing but a pair has, whatever its type."""
PAIRED = {"F": "G", "J": "K"}
INDEX = re.compile(r"[+-]?[0-9]{1,9}")
MISSING = ("?", ".", "nan")
AMPLITUDE_ITEMS = (
    "F_meas_au",
    "F_meas",
    "F_calc_au",
    "F_calc",
    "pdbx_F_calc_with_solvent",
    "pdbx_F_calc_part_solvent",
    "pdbx_FWT",
    "pdbx_DELFWT",
)
"""Amplitudes of a merged reflection among the items of ``_refln``, those of map coefficients included."""
SQUARE_ITEMS = ("F_squared_meas", "F_squared_calc", "intensity_meas", "intensity_calc")
PAIR_ITEMS = (("pdbx_F_plus", "pdbx_F_minus"),)
SQUARE_PAIR_ITEMS = (("pdbx_I_plus", "pdbx_I_minus"),)
SET_ITEMS = ("crystal_id", "wavelength_id", "scale_group_code")
"""What tells the data sets of one loop apart."""
MOST_NAMED = 10
DIFFERENCE_ITEM = "pdbx_anom_difference"
MEASURED_ITEMS = ("F_meas_au", "F_meas")
"""The amplitudes to which the anomalous difference of mmCIF belongs."""


GROUP_ITEMS = ("_symmetry.space_group_name_H-M", "_space_group.name_H-M_alt")
"""The first that is there counts; a number alone would leave the setting open."""


class Form(Enum):
    """What the columns of a choice are."""

    PLAIN = "one amplitude for both Friedel mates"
    PAIR = "F(+) and F(-)"
    DIFFERENCE = "F and F(+) - F(-)"


class Choice(NamedTuple):
    """One thing that ``-hkl_column`` can name: its data set or block, its columns, and what they are.

    ``table`` and ``places`` say where they are: the block, and the columns or items in it.
    """

    owner: str
    columns: tuple[str, ...]
    table: int
    places: tuple[int, ...]
    form: Form = Form.PLAIN
    squared: bool = False

    @property
    def label(self) -> str:
        """The labels of the columns, separated by a comma."""
        return ",".join(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """What may be said for it: a pair by F(+), a mean with a difference by the latter."""
        short = {Form.PLAIN: self.label, Form.PAIR: self.columns[0], Form.DIFFERENCE: self.columns[-1]}[
            self.form
        ]
        names = (self.label, short)
        return (*names, *(f"{self.owner}/{name}" for name in names))


class Reflections(NamedTuple):
    """The amplitudes that were chosen, and the cell they belong to, None if the file gives none."""

    records: Records
    cell: CellConstants | None


def quoted(names: Iterator[str] | Sequence[str]) -> str:
    """Names for a message, as many as it has room for."""
    texts = [ascii(shortened(name, LONGEST_NAME)) for name in names]
    room = list(accumulate(len(text) for text in texts))
    fitting = texts[: max(1, sum(length <= LONGEST_NAMES for length in room))]
    more = f" and {len(texts) - len(fitting)} more" if len(texts) > len(fitting) else ""
    return ", ".join(fitting) + more or "none"


# choice


def chosen(path: str, choices: Sequence[Choice], wanted: str | None, missing: str) -> Choice:
    """The amplitudes to take, said to the user where he might not expect it.

    Squares (intensities) only if named. A label that several sets have must be given as
    ``set/label``. Raises: InputFileError, with ``missing`` if there is no amplitude, else with
    the choices.
    """
    amplitudes = [choice for choice in choices if not choice.squared]
    if wanted is not None:
        return _by_name(path, choices, wanted, missing)
    plain = [choice for choice in amplitudes if choice.form is Form.PLAIN]
    candidates = plain or amplitudes
    if len(candidates) == 1:
        _say_what_else_there_is(path, candidates[0], choices)
        return candidates[0]
    if candidates:
        names = quoted(_unambiguous(amplitudes))
        raise InputFileError(f"{path}: expected -hkl_column with one of the amplitudes {names}")
    squares = quoted(_unambiguous(choices))
    hint = f"; for the square root of an intensity say -hkl_column with one of {squares}" if choices else ""
    raise InputFileError(f"{path}: expected an amplitude column {missing}{hint}")


def _by_name(path: str, choices: Sequence[Choice], wanted: str, missing: str) -> Choice:
    if not choices:
        raise InputFileError(f"{path}: expected an amplitude column {missing}")
    found = [choice for choice in choices if wanted in choice.names]
    if len(found) != 1:
        raise InputFileError(
            f"{path}: expected -hkl_column {quoted(_unambiguous(choices))}, got {quoted([wanted])}"
        )
    return found[0]


def _unambiguous(choices: Sequence[Choice]) -> list[str]:
    labels = [choice.label for choice in choices]
    return [
        choice.label if labels.count(choice.label) == 1 else f"{choice.owner}/{choice.label}"
        for choice in choices
    ]


def _say_what_else_there_is(path: str, taken: Choice, choices: Sequence[Choice]) -> None:
    """Anomalous differences that are not used would be missed."""
    others = [choice for choice in choices if choice is not taken]
    anomalous = [choice for choice in others if choice.form is not Form.PLAIN and not choice.squared]
    if taken.form is Form.PLAIN and anomalous:
        warn(
            f"{path}: the amplitudes are {quoted([taken.label])}, without anomalous differences:"
            f" -hkl_column takes them, or {quoted(_unambiguous(anomalous))}"
        )


# what the numbers stand for


def _records(
    path: str, choice: Choice, symmetry: Symmetry, indices: Indices, columns: Sequence[Amplitudes]
) -> Records:
    """Amplitudes of one index each: those of F(-) stand at -h -k -l."""
    if choice.squared:
        columns = _roots(path, choice, columns)
    if choice.form is Form.PLAIN:
        return Records(symmetry, indices, columns[0])
    plus, minus = columns
    if choice.form is Form.DIFFERENCE:
        mean, half = columns[0], columns[1] / 2
        both = ~np.isnan(half)
        plus = np.where(both, np.maximum(mean + half, 0), mean)
        minus = np.where(both, np.maximum(mean - half, 0), np.nan)
    centric = symmetry.operations.centric_flag_array(indices) if len(indices) else np.zeros(0, dtype=np.bool_)
    alone = int((np.isnan(plus) != np.isnan(minus))[~centric].sum())
    if alone:
        note(f"{path}: {alone} acentric reflections have no Friedel mate, they take the value of the other")
    # of a centric reflection both are equivalent, and to say it twice would make a repetition of it
    minus = np.where(centric & (plus == minus), np.nan, minus)
    return Records(
        symmetry,
        np.stack([indices, -indices], axis=1).reshape(-1, 3),
        np.stack([plus, minus], axis=1).reshape(-1),
    )


def _roots(path: str, choice: Choice, columns: Sequence[Amplitudes]) -> list[Amplitudes]:
    negative = int(sum((column < 0).sum() for column in columns))
    if negative:
        note(
            f"{path}: the amplitudes are the square roots of {quoted([choice.label])}, 0 where that is"
            f" negative ({negative} times)"
        )
    return [np.sqrt(np.maximum(column, 0)) for column in columns]


# MTZ


def read_mtz(path: str, content: bytes, wanted: str | None) -> Reflections:
    """The chosen amplitudes of an MTZ file, and the cell of their data set. Raises: InputFileError."""
    import gemmi

    _check_mtz_counts(path, content)
    with _named(content) as name:
        _check_mtz_size(path, len(content), gemmi.read_mtz_file(name, with_data=False))
        mtz = gemmi.read_mtz_file(name)
    columns = list(mtz.columns)
    if len(mtz.batches):
        raise InputFileError(
            f"{path}: expected merged reflections, got {len(mtz.batches)} batches of unmerged ones"
        )
    if any(column.type == "B" for column in columns):
        raise InputFileError(f"{path}: expected merged reflections, got a column of batches (type B)")
    if [found.type for found in columns[:3]] != ["H"] * 3:
        raise InputFileError(f"{path}: expected three columns of type H first, got {_labelled(columns[:3])}")
    choice = chosen(
        path, list(_mtz_choices(columns)), wanted, f"of type F or G, got only {_labelled(columns[3:])}"
    )
    with np.errstate(invalid="ignore"):  # a signalling NaN is as missing as any other
        values = [columns[place].array.astype(np.float64) for place in choice.places]
        indices = mtz.array[:, :3].astype(np.float64)
    for value in values:
        value[value == mtz.valm] = np.nan
    symmetry = known(path, mtz.spacegroup, mtz.spacegroup_name)
    records = _records(path, choice, symmetry, _whole(path, indices), values)
    return Reflections(records, given_cell(path, mtz.get_cell(columns[choice.places[0]].dataset_id)))


@contextmanager
def _named(content: bytes) -> Iterator[str]:
    """A name by which gemmi can open bytes; its own reading goes by the end of a name."""
    with open(os.memfd_create("mtz"), "wb") as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def _check_mtz_counts(path: str, content: bytes) -> None:
    """Refuse more columns or batches than there is room for records, which gemmi would make first."""
    for found in MTZ_COUNTS.finditer(content):
        counts = [int(number) for number in re.findall(rb"[0-9]+", found[1])]
        for count, what in zip(counts[::2], ("columns", "batches"), strict=False):
            if count * MTZ_RECORD_BYTES > len(content):
                raise InputFileError(
                    f"{path}: is an MTZ file: expected records of {count} {what}, the file is shorter"
                )


def _check_mtz_size(path: str, size: int, headers: gemmi.Mtz) -> None:
    """Refuse what the file cannot hold, before gemmi asks for the memory."""
    columns, records = len(headers.columns), headers.nreflections
    if columns == 0:
        raise InputFileError(f"{path}: is an MTZ file: expected headers with columns, got none")
    if columns * records * MTZ_NUMBER_BYTES > size:
        raise InputFileError(
            f"{path}: is an MTZ file: expected {records} records of {columns} columns, the file is shorter"
        )


def _labelled(columns: Sequence[gemmi.Mtz.Column]) -> str:
    return quoted(f"{column.label} {column.type}" for column in columns)


def _whole(path: str, indices: npt.NDArray[np.float64]) -> Indices:
    """Indices of an MTZ file, where they are stored as reals."""
    good = (np.abs(indices) <= LARGEST_COUNT) & (indices == np.rint(indices))
    if not good.all():
        record = int(np.flatnonzero(~good.all(axis=1))[0])
        h, k, l = indices[record]
        raise InputFileError(f"{path}: expected integers for h k l, got {h:g} {k:g} {l:g}")
    return indices.astype(np.int32)


def _mtz_choices(columns: Sequence[gemmi.Mtz.Column]) -> Iterator[Choice]:
    """Amplitudes (F), means with differences (F, D), pairs (G), intensities (J) and pairs of them (K)."""

    def choice(form: Form, squared: bool, *places: int) -> Choice:
        labels = tuple(columns[place].label for place in places)
        return Choice(columns[places[0]].dataset.dataset_name, labels, 0, places, form, squared)

    types = [_type(columns, column) for column in columns]
    for place, kind in enumerate(types):
        if kind in "FJ":
            yield choice(Form.PLAIN, kind == "J", place)
        elif kind == "D":
            means = [mean for mean in range(place) if _together(columns, mean, place, "F")]
            if means:
                yield choice(Form.DIFFERENCE, False, means[-1], place)
    for kind in "GK":
        for plus, minus in _signed(columns, kind):
            yield choice(Form.PAIR, kind == "K", plus, minus)


def _type(columns: Sequence[gemmi.Mtz.Column], column: gemmi.Mtz.Column) -> str:
    """The type of a column; of F(+) and F(-) that say F or J, as some programs write them, G or K."""
    for sign in (MARKED, MARKED[::-1]):
        partner = column.label.replace(*sign)
        if (
            column.type in PAIRED
            and partner != column.label
            and any(
                (other.label, other.type, other.dataset_id) == (partner, column.type, column.dataset_id)
                for other in columns
            )
        ):
            return PAIRED[column.type]
    return str(column.type)


def _together(columns: Sequence[gemmi.Mtz.Column], place: int, other: int, kind: str) -> bool:
    """Whether a column has a type and is of the data set of another one."""
    return _type(columns, columns[place]) == kind and columns[place].dataset_id == columns[other].dataset_id


def _signed(columns: Sequence[gemmi.Mtz.Column], kind: str) -> Iterator[tuple[int, int]]:
    """Pairs of columns of a type; a column without a partner by its label is not offered."""
    for plus, column in enumerate(columns):
        partners = (column.label.replace(*sign) for sign in SIGNS if sign[0] in column.label)
        label = next(partners, None) if _type(columns, column) == kind else None
        for minus in range(len(columns)):
            if columns[minus].label == label and _together(columns, minus, plus, kind):
                yield plus, minus


# CIF


class Table(NamedTuple):
    """The reflections of one block: name, names of the items as they stand, cell and symmetry."""

    block: gemmi.cif.Block
    prefix: str
    items: list[str]
    cell: gemmi.UnitCell
    group: gemmi.SpaceGroup | None
    group_name: str
    operations: list[str]


def read_cif(path: str, content: bytes, kind: Kind, wanted: str | None) -> Reflections:
    """The chosen amplitudes of a file of reflections, mmCIF or of SHELX (.fcf). Raises: InputFileError."""
    import gemmi

    document = gemmi.cif.read_string(content)
    tables = list(_mmcif_tables(document) if kind is Kind.MMCIF_REFLECTIONS else _core_tables(document))
    choices = [choice for number, table in enumerate(tables) for choice in _cif_choices(number, table)]
    choice = chosen(
        path,
        choices,
        wanted,
        f"{quoted(AMPLITUDE_ITEMS[:4])} or the like, got only {quoted(i for t in tables for i in t.items)}",
    )
    table = tables[choice.table]
    columns = [_numbers(path, table, place) for place in choice.places]
    by_name = {item.lower(): place for place, item in enumerate(table.items)}
    hkl = [_integers(path, table, by_name.get(f"index_{axis}")) for axis in "hkl"]
    if len({*map(len, columns), *map(len, hkl)}) > 1:
        raise InputFileError(f"{path}: expected as many values of {quoted([choice.label])} as of the indices")
    indices = np.stack(hkl, axis=1)
    _warn_of_several_data_sets(path, table, by_name, indices, columns)
    records = _records(path, choice, _cif_symmetry(path, table), indices, columns)
    return Reflections(records, given_cell(path, table.cell))


def _mmcif_tables(document: gemmi.cif.Document) -> Iterator[Table]:
    """Blocks of mmCIF; those without cell or space group have them from the first that has."""
    import gemmi

    group: gemmi.SpaceGroup | None = None
    name = ""
    for found in gemmi.as_refln_blocks(document):
        values = (found.block.find_value(item) for item in GROUP_ITEMS)
        said = next((text for text in (gemmi.cif.as_string(value or "?") for value in values) if text), "")
        if said and (found.is_merged() or not name):
            name = said
            group = gemmi.find_spacegroup_by_name(said, found.cell.alpha, found.cell.gamma)
        if found.is_merged():
            yield Table(found.block, "_refln.", found.column_labels(), found.cell, group, name, [])


def _core_tables(document: gemmi.cif.Document) -> Iterator[Table]:
    """Blocks of the core dictionary, as SHELXL writes them (.fcf)."""
    import gemmi

    prefix = "_refln_"
    for block in document:
        loop = block.find_loop(f"{prefix}index_h").get_loop()
        if loop is not None:
            items = [tag[len(prefix) :] for tag in loop.tags]
            small = gemmi.make_small_structure_from_block(block)
            yield Table(block, prefix, items, small.cell, small.spacegroup, small.spacegroup_hm, small.symops)


def _warn_of_several_data_sets(
    path: str, table: Table, by_name: dict[str, int], indices: Indices, columns: Sequence[Amplitudes]
) -> None:
    """Warn where a loop lists reflections anew for another crystal or wavelength: the last would count."""
    present = ~np.all([np.isnan(column) for column in columns], axis=0)
    for item in SET_ITEMS:
        if item not in by_name:
            continue
        names = np.array(_texts(table, by_name[item]))[present]
        sets = sorted(set(names.tolist()))
        if len(sets) > 1 and len(np.unique(indices[present], axis=0)) < len(names):
            warn(
                f"{path}: the same reflections are listed for {item} {', '.join(sets[:MOST_NAMED])}, and the"
                " last of each counts: expected one data set"
            )
            return


def _cif_symmetry(path: str, table: Table) -> Symmetry:
    """Of the operations that the file lists, whether or not their group has a name; else of the name."""
    if table.group is None and table.operations:
        return Symmetry(table.group_name or "its symmetry", listed_group(path, table.operations))
    return known(path, table.group, table.group_name)


def _cif_choices(number: int, table: Table) -> Iterator[Choice]:
    places = {item.lower(): place for place, item in enumerate(table.items)}

    def choices(groups: Sequence[tuple[str, ...]], form: Form, squared: bool) -> Iterator[Choice]:
        for group in groups:
            if all(item.lower() in places for item in group):
                found = tuple(places[item.lower()] for item in group)
                yield Choice(table.block.name, group, number, found, form, squared)

    yield from choices([(item,) for item in AMPLITUDE_ITEMS], Form.PLAIN, False)
    yield from choices(PAIR_ITEMS, Form.PAIR, False)
    yield from choices([(item, DIFFERENCE_ITEM) for item in MEASURED_ITEMS], Form.DIFFERENCE, False)
    yield from choices([(item,) for item in SQUARE_ITEMS], Form.PLAIN, True)
    yield from choices(SQUARE_PAIR_ITEMS, Form.PAIR, True)


def _texts(table: Table, place: int) -> list[str]:
    return list(table.block.find_values(table.prefix + table.items[place]))


def _numbers(path: str, table: Table, place: int) -> Amplitudes:
    """One item of every record, NaN where it is missing."""
    import gemmi

    texts = _texts(table, place)
    values = np.array([gemmi.cif.as_number(text) for text in texts], dtype=np.float64)
    for record in np.flatnonzero(~np.isfinite(values)).tolist():
        if texts[record].lower() not in MISSING:
            raise InputFileError(
                f"{path}: expected a number for {table.items[place]} of record {record + 1}, got"
                f" {shown(texts[record].encode())}"
            )
    return values


def _integers(path: str, table: Table, place: int | None) -> npt.NDArray[np.int32]:
    if place is None:
        raise InputFileError(f"{path}: expected index_h, index_k and index_l, got {quoted(table.items)}")
    texts = _texts(table, place)
    for record, text in enumerate(texts, start=1):
        # gemmi takes an integer of more than 32 bits for another one
        if not INDEX.fullmatch(text):
            raise InputFileError(
                f"{path}: expected an index for {table.items[place]} of record {record},"
                f" got {shown(text.encode())}"
            )
    return np.array(list(map(int, texts)), dtype=np.int32)
