"""Warnings about options that change nothing in this run (C8.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from nanobrag_torch.advice import NanoBragNote, NanoBragWarning
from nanobrag_torch.command_line.request import Convention, Request
from nanobrag_torch.command_line.scan import Met

BEAM_CENTRES = ("-Xbeam", "-Ybeam")
CLOSE_CENTRES = ("-Xclose", "-Yclose")
ORIGINS = ("-ORGX", "-ORGY")
CENTRES_WITHOUT_EFFECT = {
    Convention.ADXV: CLOSE_CENTRES + ORIGINS,
    Convention.MOSFLM: CLOSE_CENTRES + ORIGINS,
    Convention.DENZO: CLOSE_CENTRES + ORIGINS,
    Convention.XDS: BEAM_CENTRES + CLOSE_CENTRES,
    Convention.DIALS: BEAM_CENTRES + CLOSE_CENTRES,
    Convention.CUSTOM: (),
}
SOURCE_OPTIONS = (
    "-divergence",
    "-hdivrange",
    "-vdivrange",
    "-hdivstep",
    "-vdivstep",
    "-hdivsteps",
    "-vdivsteps",
    "-divsteps",
    "-round_div",
    "-square_div",
    "-dispersion",
    "-dispsteps",
)


def no_effect_advice(met: Sequence[Met], request: Request) -> list[NanoBragWarning]:
    """One piece per option without effect, in a fixed order, without repetitions.

    A note where the option never has one, or only chooses a file; else a warning, since the image is
    not what the option asks for.
    """
    warnings = [
        *_convention(met, request),
        *_centres(met, request),
        *_distances(met, request),
        *_sources(met, request),
        *_crystal(met, request),
        *_steps(met, request),
        *_overwritten(request),
    ]
    notes = [*_always(met), *_switched_off(met)]
    return [*map(NanoBragNote, dict.fromkeys(notes)), *map(NanoBragWarning, dict.fromkeys(warnings))]


def _line(option: str, reason: str) -> str:
    return f"{option} has no effect: {reason}"


def _named(met: Sequence[Met], *names: str) -> Iterator[Met]:
    return (option for option in met if option.flag.name in names)


def _always(met: Sequence[Met]) -> Iterator[str]:
    for option in met:
        if option.flag.no_effect:
            yield f"{option.spelling} has no effect" + (
                f", use {option.flag.instead}" if option.flag.instead else ""
            )
        elif option.flag.fields == ("pix0_vector_m",):
            yield f"{option.spelling} only selects the custom convention, its numbers have no effect"
        elif option.flag.fields == ("amorphous_file",):
            yield f"{option.spelling} has no effect, the table is only checked"


def _convention(met: Sequence[Met], request: Request) -> Iterator[str]:
    custom = request.convention is Convention.CUSTOM
    for option in met:
        selected = option.flag.convention
        if selected is None:
            continue
        if custom and selected is not Convention.CUSTOM:
            yield _line(option.spelling, "a vector option selects the custom convention")
        if not custom and selected is Convention.CUSTOM:
            yield _line(option.spelling, f"the {request.convention.value} convention sets all vectors")
    if not custom:
        yield from _pivots(met, request)


def _pivots(met: Sequence[Met], request: Request) -> Iterator[str]:
    """Pivot requests under a named convention; implicit ones only where they are overruled."""
    pivot = request.pivot_in_force
    forced = f"the {request.convention.value} convention pivots about the {pivot.value}"
    for option in _named(met, "-pivot"):
        yield _line(option.spelling, forced)
    last = [option for option in met if option.flag.pivot is not None]
    if last and last[-1].flag.convention is None and last[-1].flag.pivot is not pivot:
        yield _line(f"the pivot implied by {last[-1].spelling}", forced)


def _centres(met: Sequence[Met], request: Request) -> Iterator[str]:
    reason = f"the {request.convention.value} convention does not use it, it only reaches the header"
    for option in _named(met, *CENTRES_WITHOUT_EFFECT[request.convention]):
        yield _line(option.spelling, reason)
    if request.convention is Convention.CUSTOM:
        yield from _custom_centres(met, request)


def _custom_centres(met: Sequence[Met], request: Request) -> Iterator[str]:
    """Beam centre, then near point, then origin: the first that is set is used (C4.6)."""
    for axis in "XY":
        beam, close = getattr(request, f"{axis}beam_m"), getattr(request, f"{axis}close_m")
        if beam is not None:
            for option in _named(met, f"-{axis}close", f"-ORG{axis}"):
                yield _line(option.spelling, f"the beam centre {axis}beam is set")
        elif close is not None:
            for option in _named(met, f"-ORG{axis}"):
                yield _line(option.spelling, f"the near point {axis}close is set")


def _distances(met: Sequence[Met], request: Request) -> Iterator[str]:
    if request.close_distance_m is not None:
        for option in _named(met, "-distance"):
            yield _line(option.spelling, "the close distance is set")
    fast, slow = request.fast_pixels is not None, request.slow_pixels is not None
    counted = {"-detsize_f": fast, "-detsize_s": slow, "-detsize": fast and slow}
    for option in _named(met, *counted):
        if counted[option.flag.name]:
            yield _line(option.spelling, "the pixel count is set")


def _sources(met: Sequence[Met], request: Request) -> Iterator[str]:
    if request.flux_ph_s != 0 and request.exposure_s > 0:
        for option in _named(met, "-fluence"):
            yield _line(option.spelling, "the fluence follows from -flux")
    if request.exposure_s == 0:
        for option in _named(met, "-flux"):
            yield _line(option.spelling, "the exposure is 0")
    elif request.flux_ph_s == 0:
        for option in _named(met, "-exposure"):
            yield f"{option.spelling} has no effect without -flux"
    if request.source_file is not None:
        for option in _named(met, *SOURCE_OPTIONS):
            yield _line(option.spelling, "the sources are those of -sourcefile")


def _crystal(met: Sequence[Met], request: Request) -> Iterator[str]:
    """Cell counts beside a size, and a seed of nothing (C8.3). Counts still choose the interpolation."""
    sized = {
        "-Na": request.sample_x_m > 0,
        "-Nb": request.sample_y_m > 0,
        "-Nc": request.sample_z_m > 0,
    }
    sized["-N"] = all(sized.values())
    for option in _named(met, *(name for name, known in sized.items() if known)):
        yield f"{option.spelling}: the number of cells follows from the crystal size (-samplesize)"
    if not request.misset_random:
        for option in _named(met, "-misset_seed"):
            yield f"{option.spelling} has no effect without -misset random"


def _steps(met: Sequence[Met], request: Request) -> Iterator[str]:
    """Counts that a step discards, and numbers of something that is not there (C10.2, P4.1, P4.2)."""
    for names, count, step, span, step_name, span_name, words in (
        (
            ("-phisteps",),
            request.phi_steps,
            request.phi_step_rad,
            request.osc_rad,
            "-phistep",
            "-osc",
            "steps",
        ),
        (
            ("-hdivsteps", "-divsteps"),
            request.hdiv_steps,
            request.hdiv_step_rad,
            request.hdiv_range_rad,
            "-hdivstep",
            "-hdivrange",
            "directions",
        ),
        (
            ("-vdivsteps", "-divsteps"),
            request.vdiv_steps,
            request.vdiv_step_rad,
            request.vdiv_range_rad,
            "-vdivstep",
            "-vdivrange",
            "directions",
        ),
    ):
        discarded = count and count > 0 and count != 2 and step is not None and step > 0 and span is None
        if discarded and (request.source_file is None or words == "steps"):
            for option in list(_named(met, *names))[-1:]:
                yield (
                    f"{option.spelling} has no effect beside {step_name} without {span_name}: "
                    f"2 {words} are taken (HD-PHI-4)"
                )
    if request.source_file is None and request.dispersion == 0:
        for option in _named(met, "-dispsteps"):
            yield f"{option.spelling} has no effect without -dispersion"
    if request.sensor_thick_m == 0:
        for option in _named(met, "-detector_thicksteps", "-detector_abs"):
            if option.values != ("inf",):
                yield f"{option.spelling} has no effect without -detector_thick"


def _switched_off(met: Sequence[Met]) -> Iterator[str]:
    """Options that come before the switch that undoes them."""
    for names, switch in (
        (("-noisefile",), "-nonoise"),
        (("-pgmfile", "-pgmscale"), "-nopgm"),
        (("-polar",), "-nopolar"),
    ):
        selected = list(_named(met, *names, switch))
        if selected and selected[-1].flag.name == switch:
            for option in selected:
                if option.flag.name != switch:
                    yield _line(option.spelling, f"{switch} follows it")
    depths = [option for option in met if option.flag.name == "-detector_abs"]
    if depths and depths[-1].values == ("inf",):
        for option in _named(met, "-detector_thick"):
            yield _line(option.spelling, f"{depths[-1].spelling} leaves no sensor")


def _overwritten(request: Request) -> Iterator[str]:
    """Images that another one takes the place of, in the order of writing; devices hold no file."""
    images = [("-floatfile", request.float_file), ("-intfile", request.int_file)]
    images += [("-pgmfile", request.pgm_file)] if request.write_pgm else []
    images += [("-noisefile", request.noise_file)] if request.write_noise else []
    for (early, name), (late, other) in combinations(images, 2):
        if name == other and not name.startswith("/dev/"):
            yield _line(early, f"{late} writes {name}, too")
