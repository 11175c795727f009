"""What the headers of image and mask say and a run does not do (F12.8 to F12.11)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set

from nanobrag_torch.advice import NanoBragNote, NanoBragWarning
from nanobrag_torch.command_line.request import Convention, Request
from nanobrag_torch.command_line.scan import Met
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.input_file import shown
from nanobrag_torch.formats.smv_header import SmvHeader, leading_number, own_text, text_after_number
from nanobrag_torch.formats.smv_type import TYPE_KEYS, pixel_bytes

ANGLE_DEG = 1e-3
"""Smaller angles move a spot at 1 m by a quarter of a small pixel at most."""
PIXEL_SIZES = 1e-3
"""Relative difference from which on two pixel sizes are not those of one detector."""
SAME_CENTRE = 0.25
"""Pixels: conventions differ by half a pixel."""
MOST_NAMED = 10
"""Keys that one note lists."""

MM, ANGSTROM, DEGREES, PIXELS = (
    ("mm",),
    ("a", "angstrom", "angstroms"),
    ("deg", "degree", "degrees"),
    ("px", "pixel", "pixels"),
)
UNITS = {
    "SIZE1": PIXELS,
    "SIZE2": PIXELS,
    "PIXEL_SIZE": MM,
    "DISTANCE": MM,
    "CLOSE_DISTANCE": MM,
    "WAVELENGTH": ANGSTROM,
    "BEAM_CENTER_X": MM,
    "BEAM_CENTER_Y": MM,
    "ORGX": PIXELS,
    "ORGY": PIXELS,
    "PHI": DEGREES,
    "OSC_RANGE": DEGREES,
    "TWOTHETA": DEGREES,
}
"""Keys of F12.4 that hold one number, and how its unit may be written after it, in small letters."""
USED = (*UNITS, "HEADER_BYTES", "DETECTOR_DIMENSIONS", "BYTE_ORDER", "DIM", "COMPRESSION", *TYPE_KEYS)
READ = {*UNITS, "XDS_ORGX", "XDS_ORGY"}
SCAN_AXES = ("OMEGA", "CHI", "KAPPA")
DTREK_GEOMETRY = (
    "SOURCE_WAVELENGTH",
    "ROTATION",
    "SCAN_ROTATION",
    "CCD_GONIO_VALUES",
    "CRYSTAL_GONIO_VALUES",
    "CCD_DETECTOR_SIZE",
    "CCD_SPATIAL_DISTORTION_INFO",
)
OTHER_CENTRES = (
    "ADXV_CENTER_X",
    "ADXV_CENTER_Y",
    "MOSFLM_CENTER_X",
    "MOSFLM_CENTER_Y",
    "DENZO_X_BEAM",
    "DENZO_Y_BEAM",
    "DIALS_ORIGIN",
)
"""Centres that are compared and never used (F12.11)."""
COMPARED = ("OSC_START", "AXIS", *SCAN_AXES, *DTREK_GEOMETRY, *OTHER_CENTRES)
IGNORED = re.compile(
    "ADC|BEAMLINE|BIN|BIN_TYPE|CCD|CCD_IMAGE_SATURATION|CREV|DATE|DETECTOR_SN|IMAGE_PEDESTAL|RING_CURRENT|"
    "RING_MODE|TIME|UNIF_PED|THETADISTANCE|ACC_TIME|EXPOSURE|EXPOSURE_TIME|FLUX|TRANSMISSION|TEMPERATURE|"
    "DETECTOR|CRYSTAL|PUCK|IMAGE_FORMAT|IMAGE_NUMBER|FILENAME|PREFIX|UNIXTIME|OVERLOAD|SATURATED_VALUE|"
    "OPERATOR|LABEL|TITLE|COMMENT|GONIO_.*|CCD_.*|CRYSTAL_.*|DETECTOR_NAMES|DETECTOR_NUMBER|DTREK_.*|"
    "OPTICS_.*|RAXIS_.*|RX_.*|SAMPLE_.*|SCAN_.*|SOURCE_.*|TEXT.*|WINDOW_.*"
)
"""Keys that do not describe what is simulated (F12.9)."""
USED_CENTRES = {
    Convention.ADXV: ("{}beam_m",),
    Convention.MOSFLM: ("{}beam_m",),
    Convention.DENZO: ("{}beam_m",),
    Convention.XDS: ("ORG{}_pixels",),
    Convention.DIALS: ("ORG{}_pixels",),
    Convention.CUSTOM: ("{}beam_m", "{}close_m", "ORG{}_pixels"),
}
"""Fields of a request that place the beam along X or Y under a convention (C4.6)."""


def used_centres(convention: Convention, axis: str) -> set[str]:
    """Fields of a request that may place the beam along X or Y (C4.6)."""
    return {name.format(axis) for name in USED_CENTRES[convention]}


def header_advice(
    mask: SmvHeader | None, image: SmvHeader | None, met: Sequence[Met], request: Request
) -> list[NanoBragWarning]:
    """One piece per file and rule of F12.8 to F12.10, and those of F12.11 that need no placed detector."""
    given = {field for option in met for field in option.flag.fields}
    warnings: list[str] = []
    notes: list[str] = []
    for header in (mask, image):
        if header is not None:
            warnings += _repeated(header)
            warnings += _other_units(header)
            warnings += _counts(header)
            warnings += _length(header, is_mask=header is mask)
            warnings += _other_programs(header)
            warnings += _other_capitals(header)
            notes += _unknown(header)
    geometry = image if image is not None else mask
    if geometry is not None:
        warnings += _swing(geometry, given)
        warnings += _start(geometry, given)
        warnings += _goniometer(geometry)
        warnings += _unused_centre(geometry, request)
        notes += _centre_of_no_convention(geometry, given, met, request)
    if image is None and mask is not None:
        warnings += _mirrored_centre(mask, given, request)
    if image is not None:
        warnings += _missing(image, given, mask, request)
    if image is not None and mask is not None and "pixel_m" not in given:
        warnings += _pixel_sizes(mask, image)
    return [*map(NanoBragNote, notes), *map(NanoBragWarning, warnings)]


def _shown(text: str) -> str:
    return shown(text.encode("utf-8"))


# one file against itself


def _repeated(header: SmvHeader) -> Iterator[str]:
    for key in USED:
        if key not in header.values:
            continue
        values = header.values.every(key)
        numbers = [leading_number(value) for value in values]
        texts = [own_text(value) for value in values]
        comparable: Sequence[object] = texts if None in numbers else numbers
        for text, value in zip(texts, comparable, strict=True):
            if value != comparable[-1]:
                yield (
                    f"{header.path}: header key {key} occurs {len(values)} times, as {_shown(text)} and as"
                    f" {_shown(texts[-1])}: the last counts"
                )
                break


def _other_units(header: SmvHeader) -> Iterator[str]:
    for key, units in UNITS.items():
        text = text_after_number(header.values.get(key, ""))
        if text and text.lower() not in units:
            yield (
                f"{header.path}: header key {key}: {_shown(text)} after the number is ignored, the number is"
                f" taken in {units[-1]}"
            )


def _counts(header: SmvHeader) -> Iterator[str]:
    counts = {"SIZE1": header.width, "SIZE2": header.height}
    dimensions = [
        float(x) for x in re.findall(r"[0-9.]+", header.word("DETECTOR_DIMENSIONS")) if _is_number(x)
    ]
    if dimensions and (dimensions + dimensions)[:2] != list(counts.values()):
        got = " x ".join(f"{x:g}" for x in dimensions[:2])
        yield (
            f"{header.path}: header key DETECTOR_DIMENSIONS: {got} pixels, but {header.width} x"
            f" {header.height} (fast x slow) are used"
        )
    for key, count in counts.items():
        number = header.number_if_any(key)
        if number and number != count and number != int(number):
            yield f"{header.path}: header key {key}: {number:g} is no pixel count, {count} is used"


def _is_number(text: str) -> bool:
    return leading_number(text) is not None and not text_after_number(text)


def _length(header: SmvHeader, *, is_mask: bool) -> Iterator[str]:
    """A mask with too few bytes, or of an unknown type, is an error where its pixels are read."""
    try:
        expected = pixel_bytes(header)
    except InputFileError:
        return
    got = header.size - header.length
    if got > expected or (0 < got < expected and not is_mask):
        yield (
            f"{header.path}: {got} bytes of pixels, but SIZE1, SIZE2 and TYPE say {expected}"
            + (": the rest is not read" if is_mask else "")
        )


def _other_programs(header: SmvHeader) -> Iterator[str]:
    present = [key for key in DTREK_GEOMETRY if key in header.values]
    if present:
        yield (
            f"{header.path}: header keys {', '.join(present)}: the geometry of d*TREK is not read, expected"
            " DISTANCE, WAVELENGTH and so on; give it with options"
        )


def _other_capitals(header: SmvHeader) -> Iterator[str]:
    for key in header.values:
        if _in_other_capitals(key):
            yield f"{header.path}: header key {key} is not read, expected {key.upper()} in capitals"


def _in_other_capitals(key: str) -> bool:
    return key not in READ and key.upper() in READ


def _unknown(header: SmvHeader) -> Iterator[str]:
    known = {*USED, *COMPARED}
    names = [
        key
        for key in header.values
        if key not in known and not IGNORED.fullmatch(key) and not _in_other_capitals(key)
    ]
    if names:
        listed = ", ".join(_shown(name)[1:-1] for name in names[:MOST_NAMED])
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        yield f"{header.path}: header keys that this program does not know are ignored: {listed}{more}"


# the header whose geometry counts


def _swing(header: SmvHeader, given: Set[str]) -> Iterator[str]:
    angle = header.number_if_any("TWOTHETA") or 0.0
    if abs(angle) > ANGLE_DEG and "twotheta_rad" not in given:
        yield (
            f"{header.path}: header key TWOTHETA: the swing of {angle:g} degrees is not applied, give"
            f" -twotheta {angle:g} (or -twotheta 0)"
        )


def _start(header: SmvHeader, given: Set[str]) -> Iterator[str]:
    start, phi = header.number_if_any("OSC_START"), header.number_if_any("PHI")
    if start is not None and "phi_rad" not in given and abs(start - (phi or 0.0)) > ANGLE_DEG:
        states = "no PHI, so it is 0" if phi is None else f"PHI={phi:g}"
        yield (
            f"{header.path}: header key OSC_START: the header has OSC_START={start:g} and {states}: the"
            f" spindle starts at PHI, give -phi {start:g} if that is meant"
        )


def _goniometer(header: SmvHeader) -> Iterator[str]:
    axis = header.word("AXIS")
    angles = {key: header.number_if_any(key) or 0.0 for key in SCAN_AXES if key != axis.upper()}
    turned = [f"{key}={angle:g}" for key, angle in angles.items() if abs(angle) > ANGLE_DEG]
    if turned:
        yield (
            f"{header.path}: header keys {', '.join(turned)} (degrees): these axes are not turned, the"
            " crystal stands as -mat or -cell and -misset say"
        )
    if axis and axis.lower() != "phi":
        yield (
            f"{header.path}: header key AXIS: the scan turned {_shown(axis)}, but the spindle turns from PHI"
            " by OSC_RANGE (see -phi, -osc, -spindle_axis)"
        )


def _placed(request: Request, axis: str) -> bool:
    """Whether a header or an option sets a centre that the convention uses."""
    return any(getattr(request, name) is not None for name in used_centres(request.convention, axis))


def _unused_centre(header: SmvHeader, request: Request) -> Iterator[str]:
    """A centre that only reaches the header of the output, where the one in use is set by nobody."""
    uses_beam = "Xbeam_m" in used_centres(request.convention, "X")
    keys = {axis: f"ORG{axis}" if uses_beam else f"BEAM_CENTER_{axis}" for axis in "XY"}
    idle = [key for axis, key in keys.items() if key in header.values and not _placed(request, axis)]
    if idle:
        expected = (
            "BEAM_CENTER_X and _Y (-Xbeam, -Ybeam)" if uses_beam else "XDS_ORGX and _ORGY (-ORGX, -ORGY)"
        )
        yield (
            f"{header.path}: header keys {', '.join(idle)} do not place the detector: the"
            f" {request.convention.value} convention uses {expected}, and without them the middle of the"
            " detector"
        )


def _centre_of_no_convention(
    header: SmvHeader, given: Set[str], met: Sequence[Met], request: Request
) -> Iterator[str]:
    """BEAM_CENTER alone, under the convention that nobody chose."""
    if any(option.flag.convention is not None for option in met):
        return
    taken = [f"BEAM_CENTER_{axis}" for axis in "XY" if f"{axis}beam_m" not in given]
    if any(key in header.values for key in taken) and not _has_other_centres(header):
        yield (
            f"{header.path}: header keys BEAM_CENTER_X, BEAM_CENTER_Y: the header does not say of which"
            f" convention they are, {request.convention.value} is taken (see -adxv, -denzo, -xds, -dials)"
        )


def _has_other_centres(header: SmvHeader) -> bool:
    """Whether there are centres with which F12.11 compares."""
    return any(header.number_if_any(key) is not None for key in (*OTHER_CENTRES, "ORGX", "ORGY"))


def _mirrored_centre(mask: SmvHeader, given: Set[str], request: Request) -> Iterator[str]:
    """BEAM_CENTER_Y of a mask counts from the far edge (F12.4), which no other program means."""
    centre, edge_mm = mask.number_if_any("BEAM_CENTER_Y"), mask.number_if_any("PIXEL_SIZE")
    if centre is None or edge_mm is None or "Ybeam_m" in given or _has_other_centres(mask):
        return
    taken = mask.height * edge_mm - centre
    if "Ybeam_m" in used_centres(request.convention, "Y") and abs(taken - centre) > SAME_CENTRE * edge_mm:
        yield (
            f"{mask.path}: header key BEAM_CENTER_Y: of a mask it is counted from the far edge, so that Ybeam"
            f" is {taken:g} mm; give -Ybeam {centre:g} if it is meant as in an image"
        )


def _missing(image: SmvHeader, given: Set[str], mask: SmvHeader | None, request: Request) -> Iterator[str]:
    """Geometry that an image is asked for and does not hold, with the default that takes its place."""

    def absent(*keys: str) -> bool:
        return not any(key in header.values for key in keys for header in (image, mask) if header is not None)

    lacks = []
    if "wavelength_m" not in given and absent("WAVELENGTH"):
        lacks.append("WAVELENGTH (1 Angstrom, see -lambda)")
    if not given & {"distance_m", "close_distance_m"} and absent("DISTANCE", "CLOSE_DISTANCE"):
        lacks.append("DISTANCE (100 mm, see -distance)")
    if "pixel_m" not in given and absent("PIXEL_SIZE"):
        lacks.append("PIXEL_SIZE (0.1 mm, see -pixel)")
    if not (_placed(request, "X") and _placed(request, "Y")) and absent(
        "BEAM_CENTER_X", "BEAM_CENTER_Y", "ORGX", "ORGY"
    ):
        lacks.append("beam centre (the middle, see -Xbeam, -ORGX)")
    if lacks:
        yield f"{image.path}: the header lacks, and defaults stand for: {', '.join(lacks)}"


def _pixel_sizes(mask: SmvHeader, image: SmvHeader) -> Iterator[str]:
    masked, used = mask.number_if_any("PIXEL_SIZE"), image.number_if_any("PIXEL_SIZE")
    if masked is not None and used is not None and abs(masked - used) > PIXEL_SIZES * used:
        yield (
            f"{mask.path}: header key PIXEL_SIZE: {masked:g} mm, but {image.path} has {used:g} mm, which is"
            " used"
        )
