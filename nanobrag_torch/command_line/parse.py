"""From arguments to a ``Request``: headers first, then the options in the order given.

``parse`` reads the headers of the mask and the image, because their values are
the defaults of the options (C1, C4.1); it reads no other file. ``-h``, ``--help``
and ``--version`` raise ``StopEarly``; ``usage.text_for`` holds what to print.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nanobrag_torch.command_line.flags import Kind
from nanobrag_torch.command_line.no_effect import no_effect_warnings
from nanobrag_torch.command_line.request import Convention, Pivot, Request
from nanobrag_torch.command_line.scan import Met, StopEarly, scan
from nanobrag_torch.constants import DEGREES_PER_RADIAN
from nanobrag_torch.errors import InputFileError, UsageError
from nanobrag_torch.formats.smv_header import SmvHeader, read_header

__all__ = ["StopEarly", "parse"]

Values = dict[str, Any]
Origins = dict[str, str]
"""Field of a request -> image header that gave it."""

FORCED_PIVOT = {
    Convention.ADXV: Pivot.BEAM,
    Convention.MOSFLM: Pivot.BEAM,
    Convention.DENZO: Pivot.BEAM,
    Convention.XDS: Pivot.SAMPLE,
    Convention.DIALS: Pivot.SAMPLE,
}
VECTOR_FIELDS = (
    "beam_vector",
    "fdet_vector",
    "sdet_vector",
    "odet_vector",
    "twotheta_axis",
    "polar_vector",
    "spindle_axis",
)
DEFAULT_PIXEL_M = 1.0e-4


def parse(argv: Sequence[str]) -> tuple[Request, list[str]]:
    """Request and warnings of a command line without the program name.

    Raises: UsageError (C8.4), InputFileError for the mask or image header (F12.7),
    StopEarly. Source: C8.
    """
    met = scan(argv)
    values, origins = _header_values(_last_file(met, "-mask"), _last_file(met, "-img"))
    for option in met:
        _apply(option, values)
    _check_header_values(values, origins)
    _settle_sensor(met, values)
    _settle_convention(values)
    request = Request(**values)
    _check_beam_size(request)
    return request, no_effect_warnings(met, request)


def _last_file(met: Sequence[Met], name: str) -> str | None:
    files = [str(option.values[0]) for option in met if option.flag.name == name]
    return files[-1] if files else None


def _header_values(mask_file: str | None, image_file: str | None) -> tuple[Values, Origins]:
    """Fields set by the headers, and by which of them: mask first, the image wins (P2.1, F12.6)."""
    values: Values = {}
    origins: Origins = {}
    if mask_file is not None:
        _ingest(read_header(mask_file), values, origins)
        if "Ybeam_m" in values:
            # the slow edge as known at this moment, counted from the far side (P2.1)
            slow_m = values.get("pixel_m", DEFAULT_PIXEL_M) * values["slow_pixels"]
            values["Ybeam_m"] = slow_m - values["Ybeam_m"]
    if image_file is not None:
        _ingest(read_header(image_file), values, origins)
    return values, origins


HEADER_FIELDS: dict[str, tuple[str, Callable[[float], float]]] = {
    "PIXEL_SIZE": ("pixel_m", lambda x: x / 1000.0),
    "DISTANCE": ("distance_m", lambda x: x / 1000.0),
    "CLOSE_DISTANCE": ("close_distance_m", lambda x: x / 1000.0),
    "WAVELENGTH": ("wavelength_m", lambda x: x / 1e10),
    "BEAM_CENTER_X": ("Xbeam_m", lambda x: x / 1000.0),
    "BEAM_CENTER_Y": ("Ybeam_m", lambda x: x / 1000.0),
    "ORGX": ("ORGX_pixels", lambda x: x),
    "ORGY": ("ORGY_pixels", lambda x: x),
    "PHI": ("phi_rad", lambda x: x / DEGREES_PER_RADIAN),
    "OSC_RANGE": ("osc_rad", lambda x: x / DEGREES_PER_RADIAN),
}


def _ingest(header: SmvHeader, values: Values, origins: Origins) -> None:
    """Put the keys of one header into ``values`` with the operations of P2.1."""
    values["fast_pixels"], values["slow_pixels"] = header.width, header.height
    for key, (field, convert) in HEADER_FIELDS.items():
        number = header.number(key)
        if number is not None:
            values[field] = convert(number)
            origins[field] = header.path
    if values.get("pixel_m", 1.0) <= 0:
        raise _unusable(header.path, "PIXEL_SIZE", values["pixel_m"] * 1000.0, "above")


def _check_header_values(values: Values, origins: Origins) -> None:
    """Numbers of headers that no option replaced: options are in range, so what is not is a header's.

    The close distance beats the distance (C4.5). Raises: InputFileError.
    """
    if values.get("wavelength_m", 1.0) <= 0:
        got = values["wavelength_m"] * 1e10
        raise _unusable(origins["wavelength_m"], "WAVELENGTH", got, "above")
    field, key = "close_distance_m", "CLOSE_DISTANCE"
    if field not in values:
        field, key = "distance_m", "DISTANCE"
    if values.get(field, 1.0) == 0:
        raise _unusable(origins[field], key, 0.0, "other than")


def _unusable(path: str, key: str, got: float, expected: str) -> InputFileError:
    return InputFileError(f"{path}: header key {key}: expected a number {expected} 0, got {got:g}")


def _apply(option: Met, values: Values) -> None:
    """Effect of one option, including its side effects (C3, C8.8)."""
    flag = option.flag
    if flag.no_effect:
        return
    if flag.kind is Kind.MISSET:
        _apply_misset(option, values)
    elif flag.name == "-pivot":
        values["pivot"] = Pivot(option.values[0])
    elif flag.kind is not Kind.DEPTH:
        for field in flag.fields:
            values[field] = option.values[0] if len(option.values) == 1 else option.values
    values.update(flag.sets)
    if flag.pivot is not None:
        values["pivot"] = flag.pivot
    if flag.convention is not None:
        values["convention"] = flag.convention


def _apply_misset(option: Met, values: Values) -> None:
    """The later of angles and random request cancels the earlier (C4.12)."""
    chosen = option.values == ("random",)
    values["misset_random"] = chosen
    values["misset_rad"] = None if chosen else option.values


def _settle_sensor(met: Sequence[Met], values: Values) -> None:
    """Only the last attenuation depth counts; infinite or 0 means no sensor (HD-THK-4)."""
    depths = [option.values[0] for option in met if option.flag.kind is Kind.DEPTH]
    if not depths:
        return
    if depths[-1] == "inf":
        values["sensor_mu_inv_m"] = 0.0
        values["sensor_thick_m"] = 0.0
    else:
        values["sensor_mu_inv_m"] = depths[-1]


def _settle_convention(values: Values) -> None:
    """A named convention takes the vectors and the pivot away from the user (P2.4, C4.7)."""
    convention = values.get("convention", Convention.MOSFLM)
    if convention is Convention.CUSTOM:
        return
    values["pivot"] = FORCED_PIVOT[convention]
    for field in VECTOR_FIELDS:
        values.pop(field, None)


def _check_beam_size(request: Request) -> None:
    """A flux needs a beam to flow through, whatever the exposure (C3.43)."""
    if request.flux_ph_s != 0 and request.beam_size_m == 0:
        raise UsageError("-flux and -beamsize clash: the beam size is 0, expected > 0")
