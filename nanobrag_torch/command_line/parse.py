"""From arguments to a ``Request``: headers first, then the options in the order given.

``parse`` reads the headers of the mask and the image, because their values are
the defaults of the options (C1, C4.1); it reads no other file. ``-h``, ``--help``
and ``--version`` raise ``StopEarly``; ``usage.text_for`` holds what to print.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nanobrag_torch.advice import NanoBragWarning
from nanobrag_torch.command_line.files import on_standard_output
from nanobrag_torch.command_line.flags import BY_SPELLING, Kind
from nanobrag_torch.command_line.header_advice import header_advice
from nanobrag_torch.command_line.no_effect import no_effect_advice
from nanobrag_torch.command_line.request import HeaderRun, Pivot, Request
from nanobrag_torch.command_line.scan import Met, StopEarly, scan
from nanobrag_torch.errors import InputFileError, UsageError
from nanobrag_torch.formats.smv_header import SmvHeader, read_header

__all__ = ["StopEarly", "parse"]

Values = dict[str, Any]
Origins = dict[str, tuple[str, str, float]]
"""Field of a request -> path, key and number of the header that gave it."""


def parse(argv: Sequence[str]) -> tuple[Request, list[NanoBragWarning]]:
    """Request and advice of a command line without the program name.

    Raises: UsageError (C8.4), InputFileError for the mask or image header (F12.7),
    StopEarly. Source: C8.
    """
    met = scan(argv)
    mask, image = _header(_last_file(met, "-mask")), _header(_last_file(met, "-img"))
    values, origins = _header_values(mask, image)
    own = _own_run(mask, image, met, values)
    for option in met:
        _apply(option, values)
    _require_usable("wavelength_m", values, origins)
    # the close distance beats the distance (C4.5)
    _require_usable("close_distance_m" if "close_distance_m" in values else "distance_m", values, origins)
    _settle_sensor(met, values)
    request = Request(**values, header=own)
    _check_beam_size(request)
    on_standard_output(request)
    return request, [*header_advice(mask, image, met, request), *no_effect_advice(met, request)]


def _last_file(met: Sequence[Met], name: str) -> str | None:
    files = [str(option.values[0]) for option in met if option.flag.name == name]
    return files[-1] if files else None


def _header(path: str | None) -> SmvHeader | None:
    return None if path is None else read_header(path)


def _header_values(mask: SmvHeader | None, image: SmvHeader | None) -> tuple[Values, Origins]:
    """Fields set by the headers, and by which of them: mask first, the image wins (P2.1, F12.6)."""
    values: Values = {}
    origins: Origins = {}
    if mask is not None:
        _ingest(mask, values, origins)
        if "Ybeam_m" in values:
            # the slow edge as known at this moment, counted from the far side (P2.1)
            slow_m = values.get("pixel_m", Request().pixel_m) * values["slow_pixels"]
            values["Ybeam_m"] = slow_m - values["Ybeam_m"]
    if image is not None:
        _ingest(image, values, origins)
    return values, origins


def _own_run(
    mask: SmvHeader | None, image: SmvHeader | None, met: Sequence[Met], header_values: Values
) -> HeaderRun | None:
    """The run of the headers alone, under the convention of the command line (F12.11)."""
    header = image if image is not None else mask
    if header is None:
        return None
    values = dict(header_values)
    for option in met:
        if option.flag.convention is not None:
            _apply(option, values)
    fields = frozenset(field for option in met for field in option.flag.fields)
    return HeaderRun(header=header, request=Request(**values), given=fields)


HEADER_OPTIONS = {
    "PIXEL_SIZE": "-pixel",
    "DISTANCE": "-distance",
    "CLOSE_DISTANCE": "-close_distance",
    "WAVELENGTH": "-lambda",
    "BEAM_CENTER_X": "-Xbeam",
    "BEAM_CENTER_Y": "-Ybeam",
    "ORGX": "-ORGX",
    "ORGY": "-ORGY",
    "PHI": "-phi",
    "OSC_RANGE": "-osc",
}
"""Key of a header -> the option whose field and unit it shares (P1.2, P2.1)."""


def _ingest(header: SmvHeader, values: Values, origins: Origins) -> None:
    """Put the keys of one header into ``values``. Raises: InputFileError for a pixel of no size."""
    values["fast_pixels"], values["slow_pixels"] = header.width, header.height
    for key, option in HEADER_OPTIONS.items():
        number = header.number(key)
        if number is not None:
            flag = BY_SPELLING[option]
            values[flag.fields[0]] = flag.convert(number)
            origins[flag.fields[0]] = (header.path, key, number)
    _require_usable("pixel_m", values, origins)


def _require_usable(field: str, values: Values, origins: Origins) -> None:
    """Raise InputFileError for a header's number beyond the range of its option, unless it was replaced."""
    if field not in origins:
        return
    path, key, number = origins[field]
    flag = BY_SPELLING[HEADER_OPTIONS[key]]
    stored = flag.convert(number)
    if values[field] == stored and (stored == 0 or not flag.within.holds((number,))):
        raise InputFileError(
            f"{path}: header key {key}: expected a number {flag.within.text}, got {number:g}"
        )


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


def _check_beam_size(request: Request) -> None:
    """A flux needs a beam to flow through, whatever the exposure (C3.43)."""
    if request.flux_ph_s != 0 and request.beam_size_m == 0:
        raise UsageError("-flux and -beamsize clash: the beam size is 0, expected > 0")
