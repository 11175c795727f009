"""Known causes of differences, and the experiments that show them, read from ``docs/bugs/causes.toml``.

A cause is never assumed: it may be named where an experiment that takes it away, or puts it in, was run.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import ablation
from .compare import Comparison
from .errors import UsageError
from .thresholds import Thresholds

FILE = Path("docs") / "bugs" / "causes.toml"
PROGRAMS = ("c", "c_spec", "py")
EXPECTATIONS = ("identical", "differs", "scale", "rounding")
CAUSE_KEYS = {"id", "title", "changes", "see", "experiment"}
EXPERIMENT_KEYS = {"switch", "x", "r", "change", "before", "after"}
CHANGES = {"phi_offset": bool, "drop": dict, "append": list, "threads": int, "environment": dict}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How a program is run beside its experiment: what is changed of arguments, threads and environment."""

    phi_offset: bool = False
    drop: Mapping[str, int] = field(default_factory=dict)
    append: tuple[str, ...] = ()
    threads: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, args: tuple[str, ...], offset_deg: float) -> tuple[str, ...]:
        """Return the arguments as this setting has them."""
        kept = without(args, self.drop)
        moved = ablation.moved_scan(kept, offset_deg) if self.phi_offset else kept
        return *moved, *self.append

    def acts_on(self, args: tuple[str, ...], offset_deg: float) -> bool:
        """Tell whether anything is changed on these arguments; ValueError if the scan cannot be moved."""
        others = self.threads is not None or bool(self.environment)
        return others or self.arguments(args, offset_deg) != args

    def words(self) -> str:
        """Say what is changed, for a table."""
        parts = ["scan moved off phi = 0"] if self.phi_offset else []
        parts += [f"without {' '.join(self.drop)}"] if self.drop else []
        parts += [f"with {' '.join(self.append)}"] if self.append else []
        parts += [f"{self.threads} threads"] if self.threads is not None else []
        parts += [f"{name}={value}" if value else f"{name} empty" for name, value in self.environment.items()]
        return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two programs of an experiment, and its threads."""

    program: str
    threads: int = 1


@dataclass(frozen=True, kw_only=True)
class Trial:
    """An experiment on a cause: both sides as they are, then with ``setting`` on the sides ``changed``."""

    switch: str
    x: Side
    r: Side
    changed: tuple[str, ...]
    setting: Setting
    before: str
    after: str
    whole_frame: bool

    @property
    def in_bundle(self) -> bool:
        """Tell whether it takes the cause away from a pair that every bundle has, by arguments alone."""
        one_thread = self.x.threads == self.r.threads == 1 and self.setting.threads is None
        return self.switch == "off" and one_thread and not self.setting.environment and not self.whole_frame

    @property
    def pair(self) -> str:
        """The name of its pair in a summary."""
        return f"{self.x.program}_vs_{self.r.program}"

    def words(self) -> str:
        """Say what is changed on which side."""
        whom = "both" if len(self.changed) == 2 else self.x.program if self.changed[0] == "x" else "reference"
        return f"{whom}: {self.setting.words()}"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A cause with its experiments; ``probe`` names the check that a change acts at all, if there is one."""

    id: str
    title: str
    changes: str
    see: str
    probe: str
    trials: tuple[Trial, ...]


def recorded(causes: Sequence[Cause]) -> list[dict[str, Any]]:
    """Return what a bundle keeps of the causes: names, and the experiments that may be run in it."""
    return [
        {
            "id": cause.id,
            "title": cause.title,
            "see": cause.see,
            "experiments": [
                {"x": trial.x.program, "r": trial.r.program, "change": trial.words()}
                for trial in cause.trials
                if trial.in_bundle
            ],
        }
        for cause in causes
    ]


def together(settings: Sequence[Setting]) -> Setting:
    """Return several changes as one; of variables and threads that are set twice the last counts."""
    drop: dict[str, int] = {}
    environment: dict[str, str] = {}
    append: tuple[str, ...] = ()
    threads = None
    for setting in settings:
        drop |= setting.drop
        environment |= setting.environment
        append += setting.append
        threads = threads if setting.threads is None else setting.threads
    return Setting(
        phi_offset=any(setting.phi_offset for setting in settings),
        drop=drop,
        append=append,
        threads=threads,
        environment=environment,
    )


def explains(after: Comparison) -> bool:
    """Tell whether a cause explains a difference, from the pair with the cause taken away.

    It does if the images have the same bits then, and are not zero: empty images agree whatever was changed.
    """
    return after.identical and after.sum_r != 0


def without(args: tuple[str, ...], drop: Mapping[str, int]) -> tuple[str, ...]:
    """Return the arguments without some options and their values."""
    kept: list[str] = []
    skip = 0
    for word in args:
        if skip:
            skip -= 1
        elif word in drop:
            skip = drop[word]
        else:
            kept.append(word)
    return tuple(kept)


def met(expected: str, pair: Comparison, thresholds: Thresholds) -> bool:
    """Tell whether two images are as far apart as a word of the file says."""
    if pair.problem or pair.bit_identical_fraction is None or pair.max_ulp is None:
        return False
    off_scale = pair.sum_ratio is None or not (
        thresholds.min_sum_ratio <= pair.sum_ratio <= thresholds.max_sum_ratio
    )
    return {
        "identical": pair.identical,
        "differs": not pair.identical,
        "scale": off_scale,
        "rounding": pair.bit_identical_fraction >= thresholds.golden_min_bit_identical
        and pair.max_ulp <= thresholds.golden_max_ulp,
    }[expected]


def load(root: Path) -> list[Cause]:
    """Read the causes of a checkout; UsageError names file, cause, key and expectation."""
    path = root / FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file, expected the known causes") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a TOML file: {error}") from None
    causes = [_cause(path, row) for row in data.get("cause", [])]
    ids = [cause.id for cause in causes]
    if len(set(ids)) != len(ids):
        raise UsageError(f"{path}: an id is used twice among {', '.join(ids)}")
    return causes


def _cause(path: Path, row: dict[str, Any]) -> Cause:
    where = f"{path}: cause {row.get('id', row)!r}"
    _check_keys(where, row, CAUSE_KEYS, {"probe"})
    return Cause(
        id=row["id"],
        title=row["title"],
        changes=row["changes"],
        see=row["see"],
        probe=row.get("probe", ""),
        trials=tuple(_trial(where, trial) for trial in row["experiment"]),
    )


def _trial(where: str, row: dict[str, Any]) -> Trial:
    _check_keys(where, row, EXPERIMENT_KEYS, {"frame"})
    change = dict(row["change"])
    changed = tuple(change.pop("of", ()))
    _check(where, "switch", row["switch"], ("on", "off"))
    _check(where, "frame", row.get("frame", "region"), ("region", "whole"))
    for key in ("before", "after"):
        _check(where, key, row[key], EXPECTATIONS)
    if not changed or not set(changed) <= {"x", "r"}:
        raise UsageError(f"{where}: key 'change.of': found {changed!r}, expected x, r or both")
    return Trial(
        switch=row["switch"],
        x=_side(where, row["x"]),
        r=_side(where, row["r"]),
        changed=changed,
        setting=_setting(where, change),
        before=row["before"],
        after=row["after"],
        whole_frame=row.get("frame") == "whole",
    )


def _side(where: str, row: dict[str, Any]) -> Side:
    _check_keys(where, row, {"program"}, {"threads"})
    _check(where, "program", row["program"], PROGRAMS)
    return Side(**row)


def _setting(where: str, row: dict[str, Any]) -> Setting:
    """Read what a change changes."""
    for key, value in row.items():
        if key not in CHANGES or not isinstance(value, CHANGES[key]):
            raise UsageError(
                f"{where}: key 'change': found {key} = {value!r}, expected one of {', '.join(CHANGES)}"
            )
    if not row:
        raise UsageError(f"{where}: key 'change' changes nothing, expected one of {', '.join(CHANGES)}")
    return Setting(**{**row, "append": tuple(row.get("append", ()))})


def _check_keys(where: str, row: Mapping[str, Any], required: set[str], optional: set[str]) -> None:
    keys = set(row)
    if not required <= keys <= required | optional:
        raise UsageError(
            f"{where}: found the keys {sorted(keys)}, expected {sorted(required)},"
            f" and perhaps {sorted(optional)}"
        )


def _check(where: str, key: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"{where}: key '{key}': found {value!r}, expected one of {', '.join(known)}")
