"""Centres that an image header states (P2.9), and whether those of a given header agree (F12.11)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from nanobrag_torch.advice import warn
from nanobrag_torch.command_line.header_advice import used_centres
from nanobrag_torch.command_line.request import FORCED_PIVOT, Convention, HeaderRun, Request
from nanobrag_torch.constants import DEGREES_PER_RADIAN
from nanobrag_torch.errors import UsageError
from nanobrag_torch.formats.smv_header import SmvHeader, leading_number
from nanobrag_torch.setup.detector import Axes, convention_axes, place
from nanobrag_torch.setup.experiment import Detector, plain

CENTRE_PIXELS = 0.25
"""Difference from which on a centre is another one: conventions are half a pixel apart."""
DISTANCES = 1e-4
"""Relative; a header has six digits, and a tilt of a degree changes the distance by 1.5e-4."""

Pair = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class StatedCentres:
    """Centres as a header states them, in the units of P2.9."""

    adxv_mm: Pair
    mosflm_mm: Pair
    denzo_mm: Pair
    xds_pixels: Pair
    dials_origin_mm: tuple[float, float, float]


def stated_centres(detector: Detector) -> StatedCentres:
    """The centres of ``detector``; the order of operations is that of P2.9."""
    centres = detector.centres
    pixel_m, slow_m = plain(detector.pixel_m), plain(detector.slow_m)
    fbeam_m, sbeam_m = plain(centres.fbeam_m), plain(centres.sbeam_m)
    x, y, z = (plain(component) for component in detector.pix0_m)
    return StatedCentres(
        adxv_mm=(fbeam_m * 1000.0, (slow_m - sbeam_m) * 1000.0),
        mosflm_mm=((sbeam_m - 0.5 * pixel_m) * 1000.0, (fbeam_m - 0.5 * pixel_m) * 1000.0),
        denzo_mm=(sbeam_m * 1000.0, fbeam_m * 1000.0),
        xds_pixels=(plain(centres.fclose_m) / pixel_m + 0.5, plain(centres.sclose_m) / pixel_m + 0.5),
        dials_origin_mm=(1000.0 * z, 1000.0 * y, 1000.0 * -x),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One centre of a header beside that of a run; ``pixels`` is the difference."""

    key: str
    header: str
    run: str
    pixels: float

    @property
    def agrees(self) -> bool:
        """Whether both are the same centre; one without a value is not."""
        return self.pixels <= CENTRE_PIXELS


def compared(header: SmvHeader, detector: Detector) -> Iterator[Compared]:
    """Every centre that ``header`` states, beside that of ``detector`` (F12.11)."""
    run = stated_centres(detector)
    pixel_mm = plain(detector.pixel_m) * 1000.0
    numbers = {
        "ADXV_CENTER_X": (run.adxv_mm[0], pixel_mm),
        "ADXV_CENTER_Y": (run.adxv_mm[1], pixel_mm),
        "MOSFLM_CENTER_X": (run.mosflm_mm[0], pixel_mm),
        "MOSFLM_CENTER_Y": (run.mosflm_mm[1], pixel_mm),
        "DENZO_X_BEAM": (run.denzo_mm[0], pixel_mm),
        "DENZO_Y_BEAM": (run.denzo_mm[1], pixel_mm),
        "ORGX": (run.xds_pixels[0], 1.0),
        "ORGY": (run.xds_pixels[1], 1.0),
    }
    for key, (value, pixel) in numbers.items():
        stated = header.number_if_any(key)
        if stated is not None:
            name = key if not key.startswith("ORG") else f"XDS_{key}"
            yield Compared(
                key=name, header=f"{stated:g}", run=f"{value:g}", pixels=_apart(stated, value) / pixel
            )
    origin = [leading_number(text) for text in header.word("DIALS_ORIGIN").split(",")]
    stated_origin = [x for x in origin if x is not None]
    if len(origin) == len(stated_origin) == len(run.dials_origin_mm):
        yield Compared(
            key="DIALS_ORIGIN",
            header=",".join(f"{x:g}" for x in stated_origin),
            run=",".join(f"{x:g}" for x in run.dials_origin_mm),
            pixels=max(map(_apart, stated_origin, run.dials_origin_mm)) / pixel_mm,
        )


def _apart(x: float, y: float) -> float:
    """Distance of two numbers, infinite where one is none."""
    distance = abs(x - y)
    return distance if distance - distance == 0 else math.inf


def advise_on_header(request: Request, axes: Axes, detector: Detector) -> None:
    """Say where the header of an image contradicts the detector that was made of it (F12.11)."""
    if request.header is None:
        return
    detectors = [*own_detectors(request.header, axes), detector]
    said = centres_contradicted(request.header, request, detectors) or distance_contradicted(
        request.header, detectors
    )
    if said is not None:
        warn(said)


def own_detectors(run: HeaderRun, axes: Axes) -> list[Detector]:
    """The detector of the header's own run, and with its swing, too; none if it would be impossible."""
    own = replace(run.request, pix0_vector_m=None)
    swing_deg = run.header.number_if_any("TWOTHETA") or 0.0
    swung = replace(own, twotheta_rad=swing_deg / DEGREES_PER_RADIAN)
    try:
        return [place(request, axes) for request in ([own, swung] if swing_deg else [own])]
    except UsageError:
        return []


def _agrees(header: SmvHeader, detector: Detector) -> bool:
    return all(centre.agrees for centre in compared(header, detector))


def centres_contradicted(run: HeaderRun, request: Request, detectors: list[Detector]) -> str | None:
    """What to say of centres that agree with none of ``detectors``, the header's own first."""
    header, convention = run.header, request.convention
    if all(used_centres(convention, axis) & run.given for axis in "XY"):
        return None
    if any(_agrees(header, detector) for detector in detectors):
        return None
    other = [centre for centre in compared(header, detectors[0]) if not centre.agrees]
    # the origin alone does not say where the beam is
    worst = max(other, key=lambda centre: (centre.key != "DIALS_ORIGIN", centre.pixels))
    fitting = [f"-{name.value}" for name in FORCED_PIVOT if _fits(run, name)]
    hint = (
        f"it was written with {' or '.join(fitting)}" if fitting else "no convention fits without rotations"
    )
    far_side = "" if request.image_file is not None else ", BEAM_CENTER_Y of a mask from the far side"
    return (
        f"{header.path}: header key {worst.key} states {worst.header}, but read under the"
        f" {convention.value} convention{far_side} the header gives {worst.run}: {hint}; give the convention,"
        " the rotations (-detector_rotx, -twotheta, ...; a header has none) or the centres that are meant"
    )


def _fits(run: HeaderRun, convention: Convention) -> bool:
    request = replace(run.request, convention=convention)
    own = own_detectors(replace(run, request=request), convention_axes(request))
    return any(_agrees(run.header, detector) for detector in own)


def distance_contradicted(run: HeaderRun, detectors: list[Detector]) -> str | None:
    """What to say of two distances of a header that fit none of ``detectors``."""
    header = run.header
    stated, close = header.number_if_any("DISTANCE"), header.number_if_any("CLOSE_DISTANCE")
    if stated is None or close is None or run.given & {"distance_m", "close_distance_m"}:
        return None
    distances = [plain(detector.distance_m) * 1000.0 for detector in detectors]
    if any(_apart(stated, distance) <= DISTANCES * abs(stated) for distance in distances):
        return None
    return (
        f"{header.path}: header keys DISTANCE and CLOSE_DISTANCE: {stated:g} and {close:g} mm fit only a"
        f" detector that is tilted, and a header has no rotations: the distance is {distances[-1]:g} mm; give"
        " -detector_rotx, -detector_roty, -detector_rotz, or -close_distance"
    )
