"""Which known cause explains the difference between two programs on one command line.

An experiment of ``docs/bugs/causes.toml`` that takes a cause away from one pair of programs, by a change on
both sides alike, takes it away from any pair: both programs are run again with the change, and the cause
explains the difference if the images then have the same bits. Where that leaves options out, one program also
has to ignore them, which its own image shows: it is the same with and without them. Where no cause explains
the difference alone, several are taken away together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from .causes import FILE, Cause, Setting, explains, together
from .compare import Comparison
from .errors import ParityError


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Both programs run again with causes taken away: what was changed, and how far the images are apart.

    ``ignored_by`` names the programs whose image is the same with and without the options left out.
    """

    causes: tuple[Cause, ...]
    setting: Setting
    after: Comparison
    ignored_by: tuple[str, ...]

    @property
    def explains(self) -> bool:
        """Tell whether the images have the same bits now, and one program ignores what was left out."""
        return explains(self.after) and (not self.setting.drop or bool(self.ignored_by))

    @property
    def names(self) -> str:
        """The causes in words."""
        return " and ".join(cause.id for cause in self.causes)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What was tried, what could not be, by cause and with its reason, and what the images look like."""

    attempts: tuple[Attempt, ...]
    not_tried: Mapping[str, str]
    observation: str

    @property
    def found(self) -> Attempt | None:
        """The attempt that explains the difference, None if none does."""
        return next((attempt for attempt in self.attempts if attempt.explains), None)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for ``summary.json``."""
        return {
            "explained_by": [] if self.found is None else [cause.id for cause in self.found.causes],
            "attempts": [
                {
                    "causes": [cause.id for cause in attempt.causes],
                    "change": attempt.setting.words(),
                    "ignored_by": list(attempt.ignored_by),
                    "after": attempt.after.as_dict(),
                    "explains": attempt.explains,
                }
                for attempt in self.attempts
            ],
            "not_tried": dict(self.not_tried),
            "observation": self.observation,
        }


def explain(
    known: Sequence[Cause],
    args: tuple[str, ...],
    offset_deg: float,
    run: Callable[[Setting], tuple[Comparison, tuple[str, ...]]],
) -> tuple[tuple[Attempt, ...], dict[str, str]]:
    """Take the known causes away, one by one and then together, until the images have the same bits.

    Args: ``args`` of both programs; ``offset_deg`` by which a scan is moved; ``run`` runs both programs with
    a change, compares, and names those that ignore the options left out, or raises ParityError.

    Returns the attempts, of which only the last may explain, and why others were not made.
    """
    settings, not_tried = candidates(known, args, offset_deg)
    attempts: list[Attempt] = []
    for size in range(1, len(settings) + 1):
        for chosen in combinations(list(settings.items()), size):
            ids, parts = zip(*chosen, strict=True)
            setting = together(parts)
            if not_tried.keys() & set(ids):
                continue  # it failed alone already
            try:
                after, ignored_by = run(setting)
            except ParityError as error:
                not_tried[" and ".join(ids)] = f"with the change {error}"
                continue
            tried = tuple(cause for cause in known if cause.id in ids)
            attempts.append(Attempt(causes=tried, setting=setting, after=after, ignored_by=ignored_by))
            if attempts[-1].explains:
                return tuple(attempts), not_tried
    return tuple(attempts), not_tried


def candidates(
    known: Sequence[Cause], args: tuple[str, ...], offset_deg: float
) -> tuple[dict[str, Setting], dict[str, str]]:
    """Return the change that takes each cause away, and for the others why none can be tried; by cause."""
    settings: dict[str, Setting] = {}
    not_tried: dict[str, str] = {}
    for cause in known:
        off = [trial for trial in cause.trials if trial.switch == "off"]
        alone = [trial for trial in off if trial.x.threads == trial.r.threads == 1]
        both = [trial.setting for trial in alone if len(trial.changed) == 2]
        if not off:
            not_tried[cause.id] = f"{FILE} has no experiment that takes it away"
        elif not alone:
            not_tried[cause.id] = "it needs several threads, and each program runs with one"
        elif not both:
            not_tried[cause.id] = f"{FILE} takes it away from one program only, not from both alike"
        else:
            try:
                acts = both[0].acts_on(args, offset_deg)
            except ValueError as error:
                not_tried[cause.id] = f"the scan cannot be moved: {error}"
                continue
            if acts:
                settings[cause.id] = both[0]
            else:
                not_tried[cause.id] = f"ARGS have no {' and no '.join(both[0].drop)}, so it cannot act"
    return settings, not_tried


def words(explanation: Explanation | None) -> str:
    """Say what explains a difference, or that nothing does; one line each for what was and was not tried."""
    if explanation is None:
        return ""
    found = explanation.found
    lines = [] if found is None else _found(found)
    if found is None:
        lines.append("no known cause explains the difference")
        if explanation.observation:
            lines.append(f"  {explanation.observation}")
    lines += [
        f"  tried {attempt.names} (both programs: {attempt.setting.words()}): {_distance(attempt.after)}"
        for attempt in explanation.attempts
    ]
    lines += [f"  not tried {name}: {why}" for name, why in explanation.not_tried.items()]
    return "".join(f"{line}\n" for line in lines)


def _found(attempt: Attempt) -> list[str]:
    """Name the causes; where options were left out, also who ignores them, which the images show."""
    lines = [f"explained by {attempt.names}: with the change the images are bit-identical"]
    lines += [f"  {cause.id}: {cause.title} ({cause.see})" for cause in attempt.causes]
    if attempt.setting.drop:
        who = " and of ".join(attempt.ignored_by)
        lines.append(f"  the image of {who} is the same with {' '.join(attempt.setting.drop)} and without")
    return lines


def observed(attempts: Sequence[Attempt]) -> str:
    """Name the options without which the images have the same bits, though neither program ignores them."""
    for attempt in attempts:
        if explains(attempt.after) and not attempt.explains:
            options = " ".join(attempt.setting.drop)
            return (
                f"the images are bit-identical with this change: {attempt.setting.words()}; but neither"
                f" program ignores {options}, so they differ in what they make of them"
            )
    return ""


def _distance(pair: Comparison) -> str:
    if pair.problem:
        return pair.problem
    if pair.identical and not explains(pair):
        return "both images are zero then, which shows nothing"
    return f"{pair.differing_pixels} of {pair.pixels} pixels differ"
