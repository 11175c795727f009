"""What of a list of sources is ignored, or is probably not what was meant (F5.6)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from nanobrag_torch.formats.sources import COLUMNS, Source

WEIGHTS = 1e-6
"""Relative: beyond this, weights are not one weight written with few digits."""
WAVELENGTHS = 2.0
"""Factor: no beam holds a wavelength and its half; another unit is far beyond."""
SPECTRUM = 0.01
"""Relative: a central wavelength so far outside of those of the sources is not theirs."""
LONGEST_METRES = 1e-6
"""No X-ray: a number from here on is in Angstrom."""
FURTHEST_DEG = 45.0
"""No beam diverges so much; beams of two conventions are 90 degrees apart."""

LEAST_ENERGY = 1000.0
"""eV: a number from here on is an energy; no X-ray has as many Angstrom."""
PLACES = 3
"""Columns that say where a source is."""

Direction = tuple[float, float, float]


def source_advice(listed: Sequence[Source], beam: Direction, central_m: float) -> Iterator[str]:
    """Texts that begin with the number of a line, one of each kind (F5.6).

    ``beam`` is the unit vector along the beam, ``central_m`` the central wavelength in metres.
    """
    yield from _weights(listed)
    if source := _first(listed, lambda source: source.further > 0):
        yield (
            f"{source.line}: columns beyond the fifth are ignored, got {source.further} more, expected"
            f" {COLUMNS}: x y z weight wavelength"
        )
    if source := _first(listed, lambda source: source.columns < PLACES):
        yield (
            f"{source.line}: the source is taken to be at {source.x + 0.0:g} {source.y + 0.0:g}"
            f" {source.z + 0.0:g}: expected x y z [weight [wavelength]], got {source.columns} of x y z"
        )
    yield from _wavelengths(listed, central_m)
    yield from _directions(listed, beam)


def _first(listed: Sequence[Source], applies: Callable[[Source], bool]) -> Source | None:
    return next(filter(applies, listed), None)


def _weights(listed: Sequence[Source]) -> Iterator[str]:
    first = listed[0]

    def differs(source: Source) -> bool:
        larger = max(abs(source.weight), abs(first.weight))
        return abs(source.weight - first.weight) > WEIGHTS * larger

    if other := _first(listed, differs):
        yield (
            f"{other.line}: weight {other.weight:g}, but {first.weight:g} in line {first.line}: column 4 is"
            " ignored, all sources count equally (HD-SRC-1)"
        )
    if off := _first(listed, lambda source: source.weight <= 0):
        yield (f"{off.line}: weight {off.weight:g} does not switch it off: column 4 is ignored (HD-SRC-1)")


def _wavelengths(listed: Sequence[Source], central_m: float) -> Iterator[str]:
    def far(source: Source) -> bool:
        return not central_m / WAVELENGTHS <= source.wavelength_m <= central_m * WAVELENGTHS

    shortest, longest = min(s.wavelength_m for s in listed), max(s.wavelength_m for s in listed)
    if other := _first(listed, far):
        unit = ""
        if other.wavelength_m >= LONGEST_METRES:
            unit = f", which looks like {'eV' if other.wavelength_m >= LEAST_ENERGY else 'Angstrom'}"
        yield (
            f"{other.line}: wavelength {other.wavelength_m:g} m{unit}, but the central wavelength is"
            f" {central_m:g} m (-lambda); column 5 is in metres"
        )
    elif not shortest * (1 - SPECTRUM) <= central_m <= longest * (1 + SPECTRUM):
        yield (
            f"{listed[0].line}: the wavelengths of the sources are {shortest:g} to {longest:g} m, but the"
            f" central one, which output headers, -mat and automatic oversampling use, is {central_m:g} m"
            " (-lambda)"
        )


def _directions(listed: Sequence[Source], beam: Direction) -> Iterator[str]:
    def off_deg(source: Source) -> float:
        place = source[:3]
        length = math.hypot(*place)
        cosine = -sum(x / length * along for x, along in zip(place, beam, strict=True))
        return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))

    if source := _first(listed, lambda source: off_deg(source) > FURTHEST_DEG):
        behind = ", its beam comes from behind" if off_deg(source) > 90 else ""
        expected = " ".join(f"{-10 * along + 0.0:g}" for along in beam)
        yield (
            f"{source.line}: the source at {source.x:g} {source.y:g} {source.z:g} is {off_deg(source):.0f}"
            f" degrees off the beam{behind}; expected it near {expected}, or another convention"
        )
