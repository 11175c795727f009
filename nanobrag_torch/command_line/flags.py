"""The table of command-line options: one row per option, everything else is derived from it.

Parser, usage text and tests read these rows. Adding an option means adding one
row here and a field to ``Request``. Source: C3, C8.3 and C8.5; unit conversions
are the operations of P1.2, which matter to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from nanobrag_torch.command_line.request import Convention, CrystalShape, Pivot
from nanobrag_torch.constants import DEGREES_PER_RADIAN, EV_ANGSTROM, LONGEST_VECTOR, SHORTEST_VECTOR

LARGEST_SEED = 2147483646


class Kind(Enum):
    """What the values of an option are (C8.1)."""

    SWITCH = "switch"
    REAL = "real"
    INTEGER = "integer"
    FILE = "file"
    NAME = "name"
    WORD = "word"
    CELL = "cell"
    MISSET = "misset"
    DEPTH = "depth"


@dataclass(frozen=True, slots=True)
class Range:
    """Check of the values of one option before conversion, and the words that describe it."""

    text: str
    holds: Callable[[tuple[float, ...]], bool]


def _each(text: str, holds: Callable[[float], bool]) -> Range:
    return Range(text, lambda values: all(holds(value) for value in values))


FINITE = _each("finite", lambda _: True)  # numbers that are not finite never get this far
POSITIVE = _each("> 0", lambda x: x > 0)
NOT_NEGATIVE = _each(">= 0", lambda x: x >= 0)
NOT_ZERO = _each("not 0", lambda x: x != 0)
AT_LEAST_ONE = _each(">= 1", lambda x: x >= 1)
FRACTION = _each("-1 to 1", lambda x: -1 <= x <= 1)
HALF_TURN = _each("0 to 180", lambda x: 0 <= x <= 180)
SIXTEEN_BITS = _each("0 to 65535", lambda x: 0 <= x <= 65535)
SEED = _each(f"0 to {LARGEST_SEED}", lambda x: 0 <= x <= LARGEST_SEED)
DIRECTION = Range(
    f"not 0 0 0, {SHORTEST_VECTOR:g} to {LONGEST_VECTOR:g} long",
    lambda values: SHORTEST_VECTOR <= math.hypot(*values) <= LONGEST_VECTOR,
)
CELL_CONSTANTS = Range(
    "edges > 0, angles 0 < x < 180",
    lambda values: all(x > 0 for x in values[:3]) and all(0 < x < 180 for x in values[3:]),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Flag:
    """One option: what it is called, what it takes and what it changes.

    ``convert`` turns each value into the number stored in ``fields`` of ``Request``;
    options with several values store a tuple. ``sets`` are further fields changed
    by the mere presence of the option. ``no_effect`` marks options that are
    accepted and ignored (C8.3); ``instead`` is the option their warning names.
    """

    source: str
    group: str
    spellings: tuple[str, ...]
    kind: Kind
    help: str
    arity: int = 1
    values: str = ""
    unit: str = ""
    default: str = ""
    convert: Callable[[float], object] = field(default=lambda x: x)
    within: Range = FINITE
    words: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    sets: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    pivot: Pivot | None = None
    convention: Convention | None = None
    no_effect: bool = False
    instead: str = ""

    @property
    def name(self) -> str:
        """Canonical spelling."""
        return self.spellings[0]


def _mm(x: float) -> float:
    return x / 1000.0


def _mrad(x: float) -> float:
    return x / 1000.0


def _degrees(x: float) -> float:
    return x / DEGREES_PER_RADIAN


def _angstrom(x: float) -> float:
    return x / 1.0e10


def _electronvolt(x: float) -> float:
    return (EV_ANGSTROM / x) / 1.0e10


def _percent(x: float) -> float:
    return x / 100.0


def _resolution(x: float) -> float:
    return x * 1e-10


def _thickness(x: float) -> float:
    return x * 1e-6


def _attenuation_depth(x: float) -> float:
    return 1.0 / (x * 1e-6)


def _water_path(x: float) -> float:
    return x / 1e6


def _negated(x: float) -> float:
    return -x


def _or_automatic(x: float) -> float | None:
    return x if x > 0 else None


# fmt: off
_INPUT = "Input files"
INPUT_FLAGS = (
    Flag(source="C3.1", group=_INPUT, spellings=("-hkl",), kind=Kind.FILE, fields=("hkl_file",),
         help="structure factors: a list, h k l F on each line; or MTZ, mmCIF, or coordinates with -dmin; "
              "written through to the cache file"),
    Flag(source="C8.5.8", group=_INPUT, spellings=("-hkl_column",), kind=Kind.NAME, values="<name>",
         default="the only one", fields=("hkl_column",), help="amplitude column of an MTZ or mmCIF file"),
    Flag(source="C3.2", group=_INPUT, spellings=("-mat", "-matrix"), kind=Kind.FILE, fields=("matrix_file",),
         help="orientation matrix, MOSFLM style: the nine components of a*, b*, c*"),
    Flag(source="C3.3", group=_INPUT, spellings=("-img",), kind=Kind.FILE, fields=("image_file",),
         help="take the geometry from the header of this image"),
    Flag(source="C3.4", group=_INPUT, spellings=("-mask",), kind=Kind.FILE, fields=("mask_file",),
         help="skip pixels that are 0 in this image; also takes the geometry from its header"),
    Flag(source="C3.5", group=_INPUT, spellings=("-sourcefile",), kind=Kind.FILE, fields=("source_file",),
         help="list of sources: x y z weight wavelength (m); replaces divergence and dispersion"),
    Flag(source="C3.6", group=_INPUT, spellings=("-dump", "-dumpfile"), kind=Kind.FILE,
         fields=("dump_file",), default="Fdump.bin",
         help="binary cache of structure factors: written with -hkl, read without"),
    Flag(source="C3.7", group=_INPUT, spellings=("-stol",), kind=Kind.FILE, fields=("amorphous_file",),
         help="amorphous table, abscissa sin(theta)/lambda in 1/Angstrom; checked, otherwise unused"),
    Flag(source="C3.8", group=_INPUT, spellings=("-4stol",), kind=Kind.FILE, fields=("amorphous_file",),
         help="the same, abscissa 4 sin(theta)/lambda"),
    Flag(source="C3.9", group=_INPUT, spellings=("-Q",), kind=Kind.FILE, fields=("amorphous_file",),
         help="the same, abscissa 4 pi sin(theta)/lambda"),
    Flag(source="C3.10", group=_INPUT, spellings=("-stolout",), kind=Kind.FILE, no_effect=True,
         help="accepted, no effect"),
)

_FACTORS = "Structure factors"
FACTOR_FLAGS = (
    Flag(source="C3.11", group=_FACTORS, spellings=("-default_F",), kind=Kind.REAL, unit="electrons",
         default="0", fields=("default_F",),
         help="structure factor of unlisted reflections; makes -hkl unnecessary"),
    Flag(source="C3.12", group=_FACTORS, spellings=("-interpolate",), kind=Kind.SWITCH,
         sets={"interpolate": True}, default="automatic", help="force tricubic interpolation"),
    Flag(source="C3.13", group=_FACTORS, spellings=("-nointerpolate",), kind=Kind.SWITCH,
         sets={"interpolate": False}, default="automatic", help="forbid interpolation"),
)

_CELL = "Cell and orientation"
CELL_FLAGS = (
    Flag(source="C3.14", group=_CELL, spellings=("-cell",), kind=Kind.CELL, arity=6,
         values="a [b c alpha beta gamma]", unit="Angstrom, degrees", within=CELL_CONSTANTS,
         convert=_degrees, fields=("cell",),
         help="direct cell; b and c default to a, angles to 90"),
    Flag(source="C3.15", group=_CELL, spellings=("-misset",), kind=Kind.MISSET, arity=3,
         values="x y z | random", unit="degrees", convert=_degrees, fields=("misset_rad",),
         help="turn the crystal about x, then y, then z; random: a random orientation"),
)

_CRYSTAL = "Crystal size and shape"
CRYSTAL_FLAGS = (
    Flag(source="C3.16", group=_CRYSTAL, spellings=("-N",), kind=Kind.INTEGER, within=NOT_NEGATIVE,
         default="1", fields=("Na", "Nb", "Nc"), help="unit cells along all three axes"),
    Flag(source="C3.17", group=_CRYSTAL, spellings=("-Na",), kind=Kind.INTEGER, within=NOT_NEGATIVE,
         default="1", fields=("Na",), help="unit cells along a"),
    Flag(source="C3.18", group=_CRYSTAL, spellings=("-Nb",), kind=Kind.INTEGER, within=NOT_NEGATIVE,
         default="1", fields=("Nb",), help="unit cells along b"),
    Flag(source="C3.19", group=_CRYSTAL, spellings=("-Nc",), kind=Kind.INTEGER, within=NOT_NEGATIVE,
         default="1", fields=("Nc",), help="unit cells along c"),
    Flag(source="C3.20", group=_CRYSTAL,
         spellings=("-samplesize", "-sample_size", "-xtalsize", "-xtal_size"), kind=Kind.REAL, unit="mm",
         convert=_mm, within=NOT_NEGATIVE, fields=("sample_x_m", "sample_y_m", "sample_z_m"),
         help="crystal size along all three axes"),
    Flag(source="C3.21", group=_CRYSTAL,
         spellings=("-sample_x", "-sample_thick", "-sample_thickness",
                    "-xtal_x", "-xtal_thick", "-xtal_thickness"),
         kind=Kind.REAL, unit="mm", convert=_mm, within=NOT_NEGATIVE, fields=("sample_x_m",),
         help="crystal size along a"),
    Flag(source="C3.22", group=_CRYSTAL,
         spellings=("-sample_y", "-sample_width", "-xtal_y", "-xtal_width", "-width"),
         kind=Kind.REAL, unit="mm", convert=_mm, within=NOT_NEGATIVE, fields=("sample_y_m",),
         help="crystal size along b"),
    Flag(source="C3.23", group=_CRYSTAL,
         spellings=("-sample_z", "-sample_height", "-sample_heigh",
                    "-xtal_z", "-xtal_height", "-xtal_heigh", "-height", "-heigh"),
         kind=Kind.REAL, unit="mm", convert=_mm, within=NOT_NEGATIVE, fields=("sample_z_m",),
         help="crystal size along c"),
    Flag(source="C3.24", group=_CRYSTAL, spellings=("-square_xtal",), kind=Kind.SWITCH,
         sets={"shape": CrystalShape.SQUARE}, default="selected", help="parallelepiped crystal"),
    Flag(source="C3.25", group=_CRYSTAL, spellings=("-round_xtal",), kind=Kind.SWITCH,
         sets={"shape": CrystalShape.ROUND}, help="ellipsoidal crystal"),
    Flag(source="C3.26", group=_CRYSTAL, spellings=("-gauss_xtal",), kind=Kind.SWITCH,
         sets={"shape": CrystalShape.GAUSS}, help="Gaussian spots"),
    Flag(source="C3.27", group=_CRYSTAL, spellings=("-tophat_spots", "-binary_spots"), kind=Kind.SWITCH,
         sets={"shape": CrystalShape.TOPHAT}, help="flat spots"),
    Flag(source="C3.28", group=_CRYSTAL, spellings=("-fudge",), kind=Kind.REAL, default="1",
         fields=("fudge",), help="factor on the squared radius of round, Gaussian and flat spots"),
    Flag(source="C3.29", group=_CRYSTAL, spellings=("-density", "-sample_density", "-sample_den"),
         kind=Kind.REAL, unit="g/cm^3", no_effect=True, help="accepted, no effect"),
    Flag(source="C3.30", group=_CRYSTAL, spellings=("-MW", "-molecular_weight", "-molec"),
         kind=Kind.REAL, unit="g/mol", no_effect=True, help="accepted, no effect"),
)

_MOSAIC = "Mosaicity"
MOSAIC_FLAGS = (
    Flag(source="C3.31", group=_MOSAIC,
         spellings=("-mosaic", "-mosaicity", "-mosaici", "-mosaic_spread", "-mosaic_spr"),
         kind=Kind.REAL, unit="degrees", convert=_degrees, within=HALF_TURN, default="0",
         fields=("mosaic_spread_rad",), help="largest tilt of a mosaic domain"),
    Flag(source="C3.32", group=_MOSAIC, spellings=("-mosaic_domains", "-mosaic_dom"), kind=Kind.INTEGER,
         within=AT_LEAST_ONE, default="10 with -mosaic, otherwise 1", fields=("mosaic_domains",),
         help="number of mosaic domains"),
)

_ROTATION = "Crystal rotation"
ROTATION_FLAGS = (
    Flag(source="C3.33", group=_ROTATION, spellings=("-phi",), kind=Kind.REAL, unit="degrees",
         convert=_degrees, default="0", fields=("phi_rad",), help="spindle angle at the start"),
    Flag(source="C3.34", group=_ROTATION, spellings=("-osc",), kind=Kind.REAL, unit="degrees",
         convert=_degrees, within=NOT_NEGATIVE, fields=("osc_rad",), help="oscillation range"),
    Flag(source="C3.35", group=_ROTATION, spellings=("-phistep",), kind=Kind.REAL, unit="degrees",
         convert=_degrees, within=NOT_NEGATIVE, fields=("phi_step_rad",), help="spindle step"),
    Flag(source="C3.36", group=_ROTATION, spellings=("-phisteps",), kind=Kind.INTEGER,
         within=NOT_NEGATIVE, fields=("phi_steps",), help="number of spindle steps"),
    Flag(source="C3.37", group=_ROTATION, spellings=("-spindle_axis",), kind=Kind.REAL, arity=3,
         values="x y z", within=DIRECTION, default="convention", fields=("spindle_axis",),
         convention=Convention.CUSTOM, help="spindle direction; selects the custom convention"),
)

_BEAM = "Beam"
BEAM_FLAGS = (
    Flag(source="C3.38", group=_BEAM, spellings=("-lambda", "-wave", "-wavelength"), kind=Kind.REAL,
         unit="Angstrom", convert=_angstrom, within=POSITIVE, default="1", fields=("wavelength_m",),
         help="wavelength"),
    Flag(source="C3.39", group=_BEAM, spellings=("-energy",), kind=Kind.REAL, unit="eV",
         convert=_electronvolt, within=POSITIVE, fields=("wavelength_m",), help="photon energy"),
    Flag(source="C3.40", group=_BEAM, spellings=("-fluence",), kind=Kind.REAL, unit="photons/m^2",
         within=NOT_NEGATIVE, default="1.2593201528622709e29", fields=("fluence_ph_m2",),
         help="incident fluence"),
    Flag(source="C3.41", group=_BEAM, spellings=("-flux",), kind=Kind.REAL, unit="photons/s",
         within=NOT_NEGATIVE, default="0", fields=("flux_ph_s",),
         help="incident flux; with -exposure and -beamsize it overrides -fluence"),
    Flag(source="C3.42", group=_BEAM, spellings=("-exposure",), kind=Kind.REAL, unit="s",
         within=NOT_NEGATIVE, default="1", fields=("exposure_s",), help="exposure time"),
    Flag(source="C3.43", group=_BEAM, spellings=("-beamsize",), kind=Kind.REAL, unit="mm", convert=_mm,
         within=NOT_NEGATIVE, default="0.1", fields=("beam_size_m",),
         help="beam size; larger samples are clipped to it along b and c"),
    Flag(source="C3.44", group=_BEAM, spellings=("-polar",), kind=Kind.REAL, within=FRACTION, default="0",
         fields=("kahn_factor",), sets={"polarization": True},
         help="Kahn polarization factor; switches the correction on"),
    Flag(source="C3.45", group=_BEAM, spellings=("-nopolar",), kind=Kind.SWITCH,
         sets={"polarization": False}, help="no polarization correction"),
    Flag(source="C3.46", group=_BEAM, spellings=("-dispersion",), kind=Kind.REAL, unit="percent",
         convert=_percent, within=NOT_NEGATIVE, default="0", fields=("dispersion",),
         help="total relative spread of the wavelength"),
    Flag(source="C3.47", group=_BEAM, spellings=("-dispsteps",), kind=Kind.INTEGER, within=AT_LEAST_ONE,
         fields=("dispersion_steps",), help="number of wavelengths"),
    Flag(source="C3.48", group=_BEAM, spellings=("-divergence",), kind=Kind.REAL, unit="mrad",
         convert=_mrad, within=NOT_NEGATIVE, fields=("hdiv_range_rad", "vdiv_range_rad"),
         help="both divergence ranges"),
    Flag(source="C3.49", group=_BEAM, spellings=("-hdivrange",), kind=Kind.REAL, unit="mrad",
         convert=_mrad, within=NOT_NEGATIVE, fields=("hdiv_range_rad",), help="horizontal divergence range"),
    Flag(source="C3.50", group=_BEAM, spellings=("-vdivrange",), kind=Kind.REAL, unit="mrad",
         convert=_mrad, within=NOT_NEGATIVE, fields=("vdiv_range_rad",), help="vertical divergence range"),
    Flag(source="C3.51", group=_BEAM, spellings=("-hdivstep",), kind=Kind.REAL, unit="mrad",
         convert=_mrad, within=NOT_NEGATIVE, fields=("hdiv_step_rad",), help="horizontal divergence step"),
    Flag(source="C3.52", group=_BEAM, spellings=("-vdivstep",), kind=Kind.REAL, unit="mrad",
         convert=_mrad, within=NOT_NEGATIVE, fields=("vdiv_step_rad",), help="vertical divergence step"),
    Flag(source="C3.53", group=_BEAM, spellings=("-hdivsteps",), kind=Kind.INTEGER, within=NOT_NEGATIVE,
         fields=("hdiv_steps",), help="horizontal divergence steps"),
    Flag(source="C3.54", group=_BEAM, spellings=("-vdivsteps",), kind=Kind.INTEGER, within=NOT_NEGATIVE,
         fields=("vdiv_steps",), help="vertical divergence steps"),
    Flag(source="C3.55", group=_BEAM, spellings=("-divsteps",), kind=Kind.INTEGER, within=NOT_NEGATIVE,
         fields=("hdiv_steps", "vdiv_steps"), help="divergence steps in both planes"),
    Flag(source="C3.56", group=_BEAM, spellings=("-round_div",), kind=Kind.SWITCH,
         sets={"round_div": True}, default="selected", help="drop the corners of the divergence grid"),
    Flag(source="C3.57", group=_BEAM, spellings=("-square_div",), kind=Kind.SWITCH,
         sets={"round_div": False}, help="keep the corners of the divergence grid"),
    Flag(source="C3.58", group=_BEAM, spellings=("-coherent",), kind=Kind.SWITCH, no_effect=True,
         help="accepted, no effect"),
)

_DETECTOR = "Detector"
DETECTOR_FLAGS = (
    Flag(source="C3.59", group=_DETECTOR, spellings=("-pixel",), kind=Kind.REAL, unit="mm", convert=_mm,
         within=POSITIVE, default="0.1", fields=("pixel_m",), help="pixel edge"),
    Flag(source="C3.60", group=_DETECTOR, spellings=("-detpixels",), kind=Kind.INTEGER,
         within=AT_LEAST_ONE, fields=("fast_pixels", "slow_pixels"), help="pixels on both axes"),
    Flag(source="C3.61", group=_DETECTOR, spellings=("-detpixels_f", "-detpixels_x"), kind=Kind.INTEGER,
         within=AT_LEAST_ONE, fields=("fast_pixels",), help="pixels along the fast axis"),
    Flag(source="C3.62", group=_DETECTOR, spellings=("-detpixels_s", "-detpixels_y"), kind=Kind.INTEGER,
         within=AT_LEAST_ONE, fields=("slow_pixels",), help="pixels along the slow axis"),
    Flag(source="C3.63", group=_DETECTOR, spellings=("-detsize",), kind=Kind.REAL, unit="mm", convert=_mm,
         within=POSITIVE, default="102.4", fields=("detector_fast_m", "detector_slow_m"),
         help="both detector edges; a pixel count wins over them"),
    Flag(source="C3.64", group=_DETECTOR, spellings=("-detsize_f",), kind=Kind.REAL, unit="mm",
         convert=_mm, within=POSITIVE, default="102.4", fields=("detector_fast_m",),
         help="detector edge along the fast axis"),
    Flag(source="C3.65", group=_DETECTOR, spellings=("-detsize_s",), kind=Kind.REAL, unit="mm",
         convert=_mm, within=POSITIVE, default="102.4", fields=("detector_slow_m",),
         help="detector edge along the slow axis"),
    Flag(source="C3.66", group=_DETECTOR, spellings=("-distance",), kind=Kind.REAL, unit="mm",
         convert=_mm, within=NOT_ZERO, default="100", fields=("distance_m",), pivot=Pivot.BEAM,
         help="distance along the beam"),
    Flag(source="C3.67", group=_DETECTOR, spellings=("-close_distance",), kind=Kind.REAL, unit="mm",
         convert=_mm, within=NOT_ZERO, fields=("close_distance_m",), pivot=Pivot.SAMPLE,
         help="distance along the detector normal; wins over -distance"),
    Flag(source="C3.68", group=_DETECTOR, spellings=("-detector_rotx",), kind=Kind.REAL, unit="degrees",
         convert=_degrees, default="0", fields=("detector_rotx_rad",),
         help="detector rotation about x, first"),
    Flag(source="C3.69", group=_DETECTOR, spellings=("-detector_roty",), kind=Kind.REAL, unit="degrees",
         convert=_degrees, default="0", fields=("detector_roty_rad",),
         help="detector rotation about y, second"),
    Flag(source="C3.70", group=_DETECTOR, spellings=("-detector_rotz",), kind=Kind.REAL, unit="degrees",
         convert=_degrees, default="0", fields=("detector_rotz_rad",),
         help="detector rotation about z, third"),
    Flag(source="C3.71", group=_DETECTOR, spellings=("-twotheta",), kind=Kind.REAL, unit="degrees",
         convert=_degrees, default="0", fields=("twotheta_rad",), pivot=Pivot.SAMPLE,
         help="detector swing about the twotheta axis"),
    Flag(source="C3.72", group=_DETECTOR, spellings=("-curved_det", "-curved_detector"), kind=Kind.SWITCH,
         sets={"curved_detector": True}, help="all pixels at the same distance from the sample"),
    Flag(source="C3.73", group=_DETECTOR, spellings=("-point_pixel",), kind=Kind.SWITCH,
         sets={"point_pixel": True}, help="solid angle without pixel area and obliquity"),
    Flag(source="C3.74", group=_DETECTOR, spellings=("-Xbeam",), kind=Kind.REAL, unit="mm", convert=_mm,
         fields=("Xbeam_m",), pivot=Pivot.BEAM, default="convention", help="beam centre"),
    Flag(source="C3.75", group=_DETECTOR, spellings=("-Ybeam",), kind=Kind.REAL, unit="mm", convert=_mm,
         fields=("Ybeam_m",), pivot=Pivot.BEAM, default="convention", help="beam centre"),
    Flag(source="C3.76", group=_DETECTOR, spellings=("-Xclose",), kind=Kind.REAL, unit="mm", convert=_mm,
         fields=("Xclose_m",), pivot=Pivot.SAMPLE, default="convention", help="point nearest to the sample"),
    Flag(source="C3.77", group=_DETECTOR, spellings=("-Yclose",), kind=Kind.REAL, unit="mm", convert=_mm,
         fields=("Yclose_m",), pivot=Pivot.SAMPLE, default="convention", help="point nearest to the sample"),
    Flag(source="C3.78", group=_DETECTOR, spellings=("-ORGX",), kind=Kind.REAL, unit="pixels",
         fields=("ORGX_pixels",), pivot=Pivot.SAMPLE,
         help="point nearest to the sample, XDS style: the first pixel is 1"),
    Flag(source="C3.79", group=_DETECTOR, spellings=("-ORGY",), kind=Kind.REAL, unit="pixels",
         fields=("ORGY_pixels",), pivot=Pivot.SAMPLE,
         help="point nearest to the sample, XDS style: the first pixel is 1"),
    Flag(source="C3.80", group=_DETECTOR, spellings=("-pivot",), kind=Kind.WORD,
         words=("sample", "beam"), default="convention",
         help="fixed point of detector rotations; only under the custom convention"),
    Flag(source="C3.81", group=_DETECTOR, spellings=("-mosflm",), kind=Kind.SWITCH, default="selected",
         convention=Convention.MOSFLM, pivot=Pivot.BEAM, help="MOSFLM convention"),
    Flag(source="C3.82", group=_DETECTOR, spellings=("-xds",), kind=Kind.SWITCH,
         convention=Convention.XDS, pivot=Pivot.SAMPLE, help="XDS convention"),
    Flag(source="C3.83", group=_DETECTOR, spellings=("-adxv",), kind=Kind.SWITCH,
         convention=Convention.ADXV, pivot=Pivot.BEAM, help="ADXV convention"),
    Flag(source="C3.84", group=_DETECTOR, spellings=("-denzo",), kind=Kind.SWITCH,
         convention=Convention.DENZO, pivot=Pivot.BEAM, help="DENZO convention"),
    Flag(source="C3.85", group=_DETECTOR, spellings=("-dials",), kind=Kind.SWITCH,
         convention=Convention.DIALS, pivot=Pivot.BEAM, help="DIALS convention"),
    Flag(source="C3.86", group=_DETECTOR, spellings=("-fdet_vector",), kind=Kind.REAL, arity=3,
         values="x y z", within=DIRECTION, default="convention", fields=("fdet_vector",),
         convention=Convention.CUSTOM, help="fast axis; selects the custom convention"),
    Flag(source="C3.87", group=_DETECTOR, spellings=("-sdet_vector",), kind=Kind.REAL, arity=3,
         values="x y z", within=DIRECTION, default="convention", fields=("sdet_vector",),
         convention=Convention.CUSTOM, help="slow axis; selects the custom convention"),
    Flag(source="C3.88", group=_DETECTOR, spellings=("-odet_vector",), kind=Kind.REAL, arity=3,
         values="x y z", within=DIRECTION, default="convention", fields=("odet_vector",),
         convention=Convention.CUSTOM,
         help="outward normal, kept only if its length is exactly 1; selects the custom convention"),
    Flag(source="C3.89", group=_DETECTOR, spellings=("-beam_vector",), kind=Kind.REAL, arity=3,
         values="x y z", within=DIRECTION, default="convention", fields=("beam_vector",),
         convention=Convention.CUSTOM, help="beam direction; selects the custom convention"),
    Flag(source="C3.90", group=_DETECTOR, spellings=("-polar_vector",), kind=Kind.REAL, arity=3,
         values="x y z", within=DIRECTION, default="convention", fields=("polar_vector",),
         convention=Convention.CUSTOM, help="direction of the E vector; selects the custom convention"),
    Flag(source="C3.91", group=_DETECTOR, spellings=("-twotheta_axis",), kind=Kind.REAL, arity=3,
         values="x y z", within=DIRECTION, default="convention", fields=("twotheta_axis",),
         convention=Convention.CUSTOM, help="axis of the detector swing; selects the custom convention"),
    Flag(source="C3.92", group=_DETECTOR, spellings=("-pix0_vector",), kind=Kind.REAL, arity=3,
         values="x y z", unit="m", fields=("pix0_vector_m",), convention=Convention.CUSTOM,
         help="only selects the custom convention; the origin is computed from centre and distance"),
    Flag(source="C8.5.6", group=_DETECTOR, spellings=("-pix0_vector_mm",), kind=Kind.REAL, arity=3,
         values="x y z", unit="mm", convert=_mm, fields=("pix0_vector_m",), convention=Convention.CUSTOM,
         help="the same in millimetres"),
)

_SENSOR = "Sensor"
SENSOR_FLAGS = (
    Flag(source="C3.93", group=_SENSOR,
         spellings=("-detector_abs", "-detector_absorb", "-detector_absorption"), kind=Kind.DEPTH,
         values="<real> | inf", unit="micrometre", convert=_attenuation_depth,
         within=_each("inf or >= 0", lambda x: x >= 0), fields=("sensor_mu_inv_m",),
         help="attenuation depth; inf or 0: no sensor"),
    Flag(source="C3.94", group=_SENSOR, spellings=("-detector_thick",), kind=Kind.REAL,
         unit="micrometre", convert=_thickness, within=NOT_NEGATIVE, default="0",
         fields=("sensor_thick_m",), help="sensor thickness"),
    Flag(source="C3.95", group=_SENSOR, spellings=("-detector_thicksteps", "-thicksteps"),
         kind=Kind.INTEGER, within=AT_LEAST_ONE, fields=("sensor_layers",), help="sensor layers"),
)

_SAMPLING = "Sampling and background"
SAMPLING_FLAGS = (
    Flag(source="C3.96", group=_SAMPLING, spellings=("-oversample",), kind=Kind.INTEGER,
         within=_each(">= 0 (0 = automatic)", lambda x: x >= 0), convert=_or_automatic,
         default="automatic", fields=("oversample",), help="sub-pixels per pixel edge"),
    Flag(source="C3.97", group=_SAMPLING, spellings=("-oversample_thick",), kind=Kind.SWITCH,
         sets={"oversample_thick": True}, help="capture fraction for each sub-pixel"),
    Flag(source="C3.98", group=_SAMPLING, spellings=("-oversample_polar",), kind=Kind.SWITCH,
         sets={"oversample_polar": True}, help="polarization for each sub-pixel"),
    Flag(source="C3.99", group=_SAMPLING, spellings=("-oversample_omega",), kind=Kind.SWITCH,
         sets={"oversample_omega": True}, help="solid angle for each sub-pixel"),
    Flag(source="C3.100", group=_SAMPLING, spellings=("-roi",), kind=Kind.INTEGER, arity=4,
         values="xmin xmax ymin ymax", default="whole image", fields=("roi",),
         help="pixels to render, inclusive, from 0, x fast; a negative limit means its default"),
    Flag(source="C3.101", group=_SAMPLING, spellings=("-dmin",), kind=Kind.REAL, unit="Angstrom",
         convert=_resolution, within=NOT_NEGATIVE, default="0", fields=("dmin_m",),
         help="resolution cut; with coordinates as -hkl also the resolution of their structure factors"),
    Flag(source="C3.102", group=_SAMPLING, spellings=("-water",), kind=Kind.REAL, unit="micrometre",
         convert=_water_path, within=NOT_NEGATIVE, default="0", fields=("water_m",),
         help="water path of the background"),
)

_OUTPUT = "Output files and scaling"
OUTPUT_FLAGS = (
    Flag(source="C3.103", group=_OUTPUT, spellings=("-floatfile", "-floatimage"), kind=Kind.FILE,
         default="floatimage.bin", fields=("float_file",),
         help="raw binary32 image, photons per pixel; the name - of any image is standard output"),
    Flag(source="C3.104", group=_OUTPUT, spellings=("-intfile", "-intimage"), kind=Kind.FILE,
         default="intimage.img", fields=("int_file",), help="scaled 16-bit SMV image"),
    Flag(source="C3.105", group=_OUTPUT, spellings=("-pgmfile", "-pgmimage"), kind=Kind.FILE,
         default="image.pgm", fields=("pgm_file",), sets={"write_pgm": True}, help="8-bit PGM image"),
    Flag(source="C3.106", group=_OUTPUT, spellings=("-noisefile", "-noiseimage"), kind=Kind.FILE,
         default="noiseimage.img", fields=("noise_file",), sets={"write_noise": True},
         help="16-bit SMV image with photon noise"),
    Flag(source="C3.107", group=_OUTPUT, spellings=("-nonoise",), kind=Kind.SWITCH,
         sets={"write_noise": False}, help="no noise image"),
    Flag(source="C3.108", group=_OUTPUT, spellings=("-nopgm",), kind=Kind.SWITCH,
         sets={"write_pgm": False}, help="no PGM image"),
    Flag(source="C3.109", group=_OUTPUT, spellings=("-scale",), kind=Kind.REAL, within=NOT_NEGATIVE,
         default="automatic", fields=("int_scale",), help="counts per photon of the integer image"),
    Flag(source="C3.110", group=_OUTPUT, spellings=("-pgmscale",), kind=Kind.REAL, within=NOT_NEGATIVE,
         default="automatic", fields=("pgm_scale",), sets={"write_pgm": True},
         help="grey levels per photon of the PGM image"),
    Flag(source="C3.111", group=_OUTPUT, spellings=("-adc", "-adcoffset", "-adc_offset"), kind=Kind.REAL,
         within=SIXTEEN_BITS, default="40", fields=("adc_offset",),
         help="offset of the integer and the noise image"),
)

_RANDOM = "Random numbers"
RANDOM_FLAGS = (
    Flag(source="C3.112", group=_RANDOM, spellings=("-seed",), kind=Kind.INTEGER, within=SEED,
         convert=_negated, default="time", fields=("noise_seed",), help="seed of the noise image"),
    Flag(source="C3.113", group=_RANDOM, spellings=("-mosaic_seed",), kind=Kind.INTEGER, within=SEED,
         convert=_negated, default="12345678", fields=("mosaic_seed",), help="seed of the mosaic domains"),
    Flag(source="C3.114", group=_RANDOM, spellings=("-misset_seed",), kind=Kind.INTEGER, within=SEED,
         convert=_negated, default="time", fields=("misset_seed",),
         help="seed of the random orientation, not linked to -seed"),
)

_RUN = "Running and diagnostics"
RUN_FLAGS = (
    Flag(source="C3.115", group=_RUN, spellings=("-printout",), kind=Kind.SWITCH, no_effect=True,
         instead="-trace_pixel", help="accepted, no effect; see -trace_pixel"),
    Flag(source="C3.116", group=_RUN, spellings=("-printout_pixel",), kind=Kind.INTEGER, arity=2,
         values="fast slow", no_effect=True, instead="-trace_pixel",
         help="accepted, no effect; see -trace_pixel"),
    Flag(source="C3.117", group=_RUN, spellings=("-progress",), kind=Kind.SWITCH,
         sets={"progress": True}, default="selected", help="progress lines"),
    Flag(source="C3.118", group=_RUN, spellings=("-noprogress",), kind=Kind.SWITCH,
         sets={"progress": False}, help="no progress lines"),
    Flag(source="C8.5.5", group=_RUN, spellings=("-trace_pixel",), kind=Kind.INTEGER, arity=2,
         values="slow fast", within=NOT_NEGATIVE, default="off", fields=("trace_pixel",),
         help="print every intermediate number of one pixel; slow index first"),
    Flag(source="C8.5.3", group=_RUN, spellings=("-device",), kind=Kind.WORD, words=("cpu", "cuda"),
         default="cpu", fields=("device",), help="where to compute"),
    Flag(source="C8.5.4", group=_RUN, spellings=("-dtype",), kind=Kind.WORD, words=("float32", "float64"),
         default="float64", fields=("dtype",), help="arithmetic of the pixel loop"),
    Flag(source="C8.5.7", group=_RUN, spellings=("-physics",), kind=Kind.WORD,
         words=("nanobragg", "corrected"), default="nanobragg", fields=("physics",),
         help="nanobragg: image of the historical program; corrected: with its defects mended"),
    Flag(source="C8.5.1", group=_RUN, spellings=("-h", "--help"), kind=Kind.SWITCH,
         help="print this text and stop"),
    Flag(source="C8.5.2", group=_RUN, spellings=("--version",), kind=Kind.SWITCH,
         help="print name and version and stop"),
)

_OLD = "Accepted without effect"
OLD_FLAGS = (
    Flag(source="C8.3", group=_OLD, spellings=("-hdiv",), kind=Kind.REAL, no_effect=True,
         instead="-hdivrange", help="see -hdivrange"),
    Flag(source="C8.3", group=_OLD, spellings=("-vdiv",), kind=Kind.REAL, no_effect=True,
         instead="-vdivrange", help="see -vdivrange"),
    Flag(source="C8.3", group=_OLD, spellings=("-dispstep",), kind=Kind.REAL, no_effect=True,
         instead="-dispsteps", help="see -dispsteps"),
    Flag(source="C8.3", group=_OLD, spellings=("-detsize_x",), kind=Kind.REAL, no_effect=True,
         instead="-detsize_f", help="see -detsize_f"),
    Flag(source="C8.3", group=_OLD, spellings=("-detsize_y",), kind=Kind.REAL, no_effect=True,
         instead="-detsize_s", help="see -detsize_s"),
    Flag(source="C8.3", group=_OLD, spellings=("-xdet_vector",), kind=Kind.REAL, arity=3, values="x y z",
         no_effect=True, instead="-fdet_vector", help="see -fdet_vector"),
    Flag(source="C8.3", group=_OLD, spellings=("-ydet_vector",), kind=Kind.REAL, arity=3, values="x y z",
         no_effect=True, instead="-sdet_vector", help="see -sdet_vector"),
    Flag(source="C8.3", group=_OLD, spellings=("-zdet_vector",), kind=Kind.REAL, arity=3, values="x y z",
         no_effect=True, instead="-odet_vector", help="see -odet_vector"),
)
# fmt: on

FLAGS: tuple[Flag, ...] = (
    *INPUT_FLAGS,
    *FACTOR_FLAGS,
    *CELL_FLAGS,
    *CRYSTAL_FLAGS,
    *MOSAIC_FLAGS,
    *ROTATION_FLAGS,
    *BEAM_FLAGS,
    *DETECTOR_FLAGS,
    *SENSOR_FLAGS,
    *SAMPLING_FLAGS,
    *OUTPUT_FLAGS,
    *RANDOM_FLAGS,
    *RUN_FLAGS,
    *OLD_FLAGS,
)

OUTPUT_FILES = {
    "-floatfile": "float_file",
    "-intfile": "int_file",
    "-pgmfile": "pgm_file",
    "-noisefile": "noise_file",
}
"""Option of each image, in the order of writing -> field of its name; ``-`` is standard output (C10.5)."""

BY_SPELLING: Mapping[str, Flag] = MappingProxyType(
    {spelling: flag for flag in FLAGS for spelling in flag.spellings}
)
