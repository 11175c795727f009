"""The set-up in the order of P0.6: from a request to the experiment."""

from __future__ import annotations

from nanobrag_torch.command_line.request import Convention, Request
from nanobrag_torch.errors import UsageError
from nanobrag_torch.formats import amorphous
from nanobrag_torch.setup.beam import sources
from nanobrag_torch.setup.crystal import crystal
from nanobrag_torch.setup.detector import convention_axes, place
from nanobrag_torch.setup.experiment import Detector, Experiment, scalar
from nanobrag_torch.setup.orientations import orientations
from nanobrag_torch.setup.sampling import sampling


def experiment(request: Request) -> Experiment:
    """Read the files that ``request`` names and resolve everything that it leaves open.

    Raises: UsageError where inputs are missing or clash (C4.17 to C4.19),
    InputFileError where a file cannot be used.
    """
    if request.amorphous_file is not None:
        amorphous.read(request.amorphous_file)
    axes = convention_axes(request)
    detector = place(request, axes)
    wavelength_m = scalar(request.wavelength_m)
    xtal = crystal(request, wavelength_m)
    beam = sources(request, axes, wavelength_m)
    turns = orientations(request, xtal, axes.spindle)
    return Experiment(
        detector=detector,
        beam=beam,
        crystal=xtal,
        orientations=turns,
        sampling=sampling(request, detector, beam, xtal, turns),
    )
