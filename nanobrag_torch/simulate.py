"""The run: from a request to the files it asks for (C1)."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TextIO

import torch

from nanobrag_torch import images, report
from nanobrag_torch.advice import note, warn
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.command_line.required_input import with_default_cache
from nanobrag_torch.errors import DeviceError
from nanobrag_torch.formats import float_image, pgm, smv
from nanobrag_torch.image_header import smv_fields
from nanobrag_torch.images import FloatImage
from nanobrag_torch.progress import progress_on
from nanobrag_torch.random_numbers.uniform import Stream
from nanobrag_torch.render.image import Rendering, render
from nanobrag_torch.setup.build import experiment as build_experiment
from nanobrag_torch.setup.experiment import Detector, Experiment
from nanobrag_torch.setup.known_defects import rays
from nanobrag_torch.setup.structure_factors import write_cache
from nanobrag_torch.trace import check_trace, trace

DTYPES = {"float64": torch.float64, "float32": torch.float32}


def compute_device(name: str) -> torch.device:
    """The torch device of ``-device``. Raises: DeviceError where this machine has none (C8.5.3)."""
    if name == "cuda" and not torch.cuda.is_available():
        raise DeviceError("-device cuda: no CUDA device is available here, expected -device cpu")
    return torch.device(name)


def seeded(request: Request, now_s: int) -> tuple[Request, int]:
    """``request`` with a seed of the orientation, and the stream variable of the noise.

    Both are the user's, or minus the time; one instant serves both (R2.1).
    """
    noise_seed = -now_s if request.noise_seed is None else request.noise_seed
    misset_seed = -now_s if request.misset_seed is None else request.misset_seed
    return replace(request, misset_seed=misset_seed), noise_seed


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise MemoryError where torch has no memory left, which it says with a RuntimeError of many lines."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error):
            raise MemoryError from None
        raise


@memory_errors()
def simulate(request: Request, out: TextIO) -> None:
    """Render ``request`` and write its files; the report goes to ``out``.

    Whether the files can be opened is found out before (``command_line.files``).
    Raises: NanoBragError where the run cannot be done, MemoryError; files are then complete or absent.
    """
    device = compute_device(request.device)
    request, seed = seeded(with_default_cache(request), int(time.time()))
    with torch.no_grad():
        experiment = build_experiment(request)
        if request.trace_pixel is not None:
            check_trace(request.trace_pixel, experiment.detector)
        write_cache(request, experiment.crystal.structure_factors)
        for text in (report.input_files(request), report.before_rendering(request, experiment)):
            if text:
                print(text, file=out)
        print(report.summary(request, experiment, seed), file=out, flush=True)
        rendering, seconds = timed_render(request, experiment, device, out)
        image: FloatImage = rendering.image.numpy()
        for text in (*images.flaws(image), *why_nothing(request, experiment, image)):
            warn(text)
        warn_of_the_end_of_interpolation(rendering, experiment.detector)
        if request.trace_pixel is not None:
            print(trace(experiment, request.trace_pixel, rendering.first_out), file=out)
    print(f"render time = {seconds:.6g} s", file=out)
    print(report.solid_angle(float(rendering.solid_angle_sr)), file=out)
    write_images(request, experiment, image, seed, out)


def timed_render(
    request: Request, experiment: Experiment, device: torch.device, out: TextIO
) -> tuple[Rendering, float]:
    """The rendering, on the CPU, and the seconds it took."""
    region = experiment.detector.roi.pixels
    progress = progress_on(out, sys.stderr, region) if request.progress else None
    started = time.monotonic()
    try:
        rendering = render(experiment, device=device, dtype=DTYPES[request.dtype], progress=progress)
        rendering = rendering.to(torch.device("cpu"))
    finally:  # a bar must not stand in the way of the line of an error
        if progress is not None:
            progress.close()
    return rendering, time.monotonic() - started


def warn_of_the_end_of_interpolation(rendering: Rendering, detector: Detector) -> None:
    """One pixel out of range switches it off for all that follow, which nobody expects (HD-INT-1)."""
    pixel = int(rendering.first_out_pixel)
    if pixel >= 0:
        slow, fast = divmod(pixel, detector.fast_pixels)
        warn(
            f"-interpolate: interpolation left the structure-factor table at pixel slow {slow} fast {fast}"
            " and is off from there on (HD-INT-1), use -physics corrected, -nointerpolate or a larger list"
        )


def why_nothing(request: Request, experiment: Experiment, image: FloatImage) -> Iterator[str]:
    """An image of zeros, and what is known of the reason (C10.8)."""
    if image.any():
        return
    factors, sampling, detector = (
        experiment.crystal.structure_factors,
        experiment.sampling,
        experiment.detector,
    )
    reasons = {
        "fluence 0": bool(experiment.beam.fluence_ph_m2 == 0),
        "-default_F and -hkl: every structure factor is 0": not (factors.default_F or factors.table.any()),
        "-mask: no pixel is left": detector.mask is not None and not detector.mask[detector.roi.slices].any(),
        "-dmin: the whole region is beyond it": sampling.cut and not rays(experiment, 1).lit.any(),
        "-oversample_thick without a sensor": request.oversample_thick and not detector.sensor.thick,
    }
    known = ", ".join(reason for reason, holds in reasons.items() if holds)
    yield "the image is 0 everywhere" + (f" ({known})" if known else "")


def write_images(request: Request, experiment: Experiment, image: FloatImage, seed: int, out: TextIO) -> None:
    """Float, integer, byte and noise image, in this order (F1.4, C6.3)."""
    limits = experiment.detector.roi
    roi = (limits.xmin, limits.xmax, limits.ymin, limits.ymax)
    mask = None if experiment.detector.mask is None else experiment.detector.mask.numpy()
    print(report.writing_floats(request.float_file, image.size), file=out)
    float_image.write(request.float_file, image)
    statistics = images.statistics(image, roi, mask)
    print(report.intensities(statistics, experiment), file=out)

    header, region = smv_fields(experiment), image[images.roi_slices(roi, image.shape)].size
    scale = images.integer_scale(request.int_scale, statistics.max_I)
    print(report.integer_scale(scale), file=out)
    print(report.writing_counts(request.int_file, image.size), file=out)
    smv.write(request.int_file, header, images.integer_image(image, roi, scale, request.adc_offset))
    advise_on_cut("-scale", "integer", images.cut_pixels(image, roi, scale, request.adc_offset), region)
    brightest = statistics.max_I * scale
    if 0 < brightest < 1:
        warn(
            f"-scale: the brightest pixel of the integer image is {brightest:.3g} counts, expected at least 1"
        )
    if request.write_pgm:
        grey = images.grey_scale(request.pgm_scale, statistics.rmsd, scale)
        print(report.grey_scale(grey), file=out)
        print(report.writing_greys(request.pgm_file, image.size), file=out)
        pgm.write(request.pgm_file, images.grey_image(image, roi, grey), grey)
    if request.write_noise:
        noise = images.noise_image(image, roi, request.adc_offset, Stream(seed))
        print(report.photons(noise), file=out)
        print(report.writing_counts(request.noise_file, image.size), file=out)
        smv.write(request.noise_file, header, noise.pixels)
        advise_on_cut("-fluence/-flux", "noise", noise.overloads, region)


def advise_on_cut(option: str, name: str, cut: int, pixels: int) -> None:
    """Say how many of the ``pixels`` of the region are at the upper end of an image (C10.8)."""
    if cut:
        say = warn if cut > images.MANY_CUT * pixels else note
        say(f"{option}: {cut} of {pixels} pixels of the {name} image are cut at 65535")
