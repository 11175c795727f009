"""The set-up in the order of P0.6: from a request to the experiment."""

from __future__ import annotations

from nanobrag_torch.command_line.request import Request
from nanobrag_torch.command_line.required_input import require_inputs
from nanobrag_torch.constants import DEGREES_PER_RADIAN, LARGEST_COUNT
from nanobrag_torch.errors import UsageError
from nanobrag_torch.formats import amorphous
from nanobrag_torch.formats.unit_cell import impossible_angles
from nanobrag_torch.physics.vectors import norm
from nanobrag_torch.setup.beam import sources
from nanobrag_torch.setup.crystal import crystal
from nanobrag_torch.setup.detector import convention_axes, place
from nanobrag_torch.setup.experiment import Beam, Crystal, Detector, Experiment, plain, scalar
from nanobrag_torch.setup.header_centres import advise_on_header
from nanobrag_torch.setup.known_defects import warn_of_known_defects
from nanobrag_torch.setup.orientations import orientations
from nanobrag_torch.setup.plausible import warn_of_implausible_numbers
from nanobrag_torch.setup.sampling import sampling

LONGEST_M = 1e50
"""Up to here every product on the way to a pixel stays finite."""


def check_finite(detector: Detector, crystal: Crystal, beam: Beam) -> None:
    """Refuse numbers so large that positions or Miller indices have no value. Raises: UsageError."""
    shortest_m = plain(beam.source_wavelengths_m.min())
    for name, edge_m in (("a", crystal.a_m), ("b", crystal.b_m), ("c", crystal.c_m)):
        edge = plain(norm(edge_m))
        if not edge * (2.0 / shortest_m) <= LARGEST_COUNT:
            raise UsageError(
                f"-cell/-mat/-lambda/-sourcefile: cell edge {name} of {edge:g} m at a wavelength of "
                f"{shortest_m:g} m, expected Miller indices of at most {LARGEST_COUNT}"
            )
    lengths = {
        "-pixel/-detsize_f: detector width": detector.fast_m,
        "-pixel/-detsize_s: detector height": detector.slow_m,
        "-detector_thick: detector thickness": detector.sensor.thickness_m,
        "-distance/-Xbeam/-Ybeam: detector place": norm(detector.pix0_m),
    }
    for name, length_m in lengths.items():
        if not abs(plain(length_m)) <= LONGEST_M:
            raise UsageError(f"{name} of {plain(length_m):g} m, expected at most {LONGEST_M:g} m")


def check_cell(request: Request) -> None:
    """Refuse angles that no cell has; a command line cannot hold them, a request can. Raises: UsageError."""
    if request.cell is not None:
        given = (plain(angle) * DEGREES_PER_RADIAN for angle in request.cell[3:])
        degrees = [angle if angle > 0 else 90.0 for angle in given]
        reason = impossible_angles(degrees[0], degrees[1], degrees[2])
        if reason is not None:
            raise UsageError(f"-cell: {reason}")


def experiment(request: Request) -> Experiment:
    """Read the files that ``request`` names and resolve everything that it leaves open.

    Raises: MissingInputError without structure factors or cell, UsageError where inputs
    clash (C4.17 to C4.19), InputFileError where a file cannot be used.
    """
    require_inputs(request)
    check_cell(request)
    if request.amorphous_file is not None:
        amorphous.read(request.amorphous_file)
    axes = convention_axes(request)
    detector = place(request, axes)
    wavelength_m = scalar(request.wavelength_m)
    xtal = crystal(request, wavelength_m)
    beam = sources(request, axes, wavelength_m)
    turns = orientations(request, xtal, axes.spindle)
    resolved = Experiment(
        corrected=request.corrected,
        detector=detector,
        beam=beam,
        crystal=xtal,
        orientations=turns,
        sampling=sampling(request, detector, beam, xtal, turns),
    )
    warn_of_implausible_numbers(request, resolved, axes)
    check_finite(detector, xtal, beam)
    advise_on_header(request, axes, detector)
    warn_of_known_defects(request, resolved, axes)
    return resolved
