"""What one run is asked to do: the command line and the image headers, converted to SI.

A ``Request`` is plain data. It holds what the user said and nothing derived from
it; ``nanobrag_torch.setup`` turns it into an ``Experiment``. ``None`` means that
the user said nothing. Lengths are in metres, angles in radians, unless the last
word of the name says otherwise; each conversion is the one of P1.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from nanobrag_torch.formats.smv_header import SmvHeader

if TYPE_CHECKING:
    from torch import Tensor

Number: TypeAlias = "float | Tensor"
"""A number; put a float64 tensor without dimensions in its place, and the image has its gradient."""
Vector: TypeAlias = "tuple[Number, Number, Number]"


class CrystalShape(Enum):
    """Lattice factor of P6.9; the value is the word of the summary (C6.2)."""

    SQUARE = "parallelepiped"
    ROUND = "ellipsoidal"
    GAUSS = "gaussian"
    TOPHAT = "tophat"


class Convention(Enum):
    """Detector convention of P2.4; the value is the word of the output (C6.1)."""

    ADXV = "adxv"
    MOSFLM = "mosflm"
    DENZO = "denzo"
    XDS = "xds"
    DIALS = "dials"
    CUSTOM = "custom"


class Pivot(Enum):
    """Point that stays fixed when the detector is turned (P2.4.1)."""

    BEAM = "beam"
    SAMPLE = "sample"


FORCED_PIVOT = {
    Convention.ADXV: Pivot.BEAM,
    Convention.MOSFLM: Pivot.BEAM,
    Convention.DENZO: Pivot.BEAM,
    Convention.XDS: Pivot.SAMPLE,
    Convention.DIALS: Pivot.SAMPLE,
}
"""Every convention but CUSTOM has its own (P2.4)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeaderRun:
    """The header whose geometry counts, and what would run if it alone decided (F12.11).

    ``request`` holds the numbers of the headers and, of the options, those of convention and vectors;
    ``given`` are the fields of a ``Request`` that any option sets.
    """

    header: SmvHeader
    request: Request
    given: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One run as asked for. Defaults: P1.3 and the table of C3."""

    # input files
    hkl_file: str | None = None
    hkl_column: str | None = None
    matrix_file: str | None = None
    image_file: str | None = None
    mask_file: str | None = None
    source_file: str | None = None
    dump_file: str | None = None
    amorphous_file: str | None = None

    # structure factors
    default_F: float = 0.0
    interpolate: bool | None = None

    # cell and orientation; cell is a b c in Angstrom and three angles, 0 where not given
    cell: tuple[Number, Number, Number, Number, Number, Number] | None = None
    misset_rad: Vector | None = None
    misset_random: bool = False

    # crystal
    Na: int = 1
    Nb: int = 1
    Nc: int = 1
    sample_x_m: float = 0.0
    sample_y_m: float = 0.0
    sample_z_m: float = 0.0
    shape: CrystalShape = CrystalShape.SQUARE
    fudge: Number = 1.0
    mosaic_spread_rad: float | None = None
    mosaic_domains: int | None = None

    # spindle
    phi_rad: Number = 0.0
    osc_rad: Number | None = None
    phi_step_rad: Number | None = None
    phi_steps: int | None = None
    spindle_axis: Vector | None = None

    # beam
    wavelength_m: Number = 1.0e-10
    fluence_ph_m2: Number = 125932015286227086360700780544.0
    flux_ph_s: Number = 0.0
    exposure_s: Number = 1.0
    beam_size_m: Number = 1.0e-4
    kahn_factor: Number = 0.0
    polarization: bool = True
    dispersion: Number = 0.0
    dispersion_steps: int | None = None
    hdiv_range_rad: Number | None = None
    vdiv_range_rad: Number | None = None
    hdiv_step_rad: Number | None = None
    vdiv_step_rad: Number | None = None
    hdiv_steps: int | None = None
    vdiv_steps: int | None = None
    round_div: bool = True
    beam_vector: Vector | None = None
    polar_vector: Vector | None = None

    # detector
    pixel_m: Number = 1.0e-4
    fast_pixels: int | None = None
    slow_pixels: int | None = None
    detector_fast_m: Number = 0.1024
    detector_slow_m: Number = 0.1024
    distance_m: Number = 0.1
    close_distance_m: Number | None = None
    detector_rotx_rad: Number = 0.0
    detector_roty_rad: Number = 0.0
    detector_rotz_rad: Number = 0.0
    twotheta_rad: Number = 0.0
    curved_detector: bool = False
    point_pixel: bool = False
    Xbeam_m: Number | None = None
    Ybeam_m: Number | None = None
    Xclose_m: Number | None = None
    Yclose_m: Number | None = None
    ORGX_pixels: Number | None = None
    ORGY_pixels: Number | None = None
    convention: Convention = Convention.MOSFLM
    pivot: Pivot = Pivot.BEAM
    fdet_vector: Vector | None = None
    sdet_vector: Vector | None = None
    odet_vector: Vector | None = None
    twotheta_axis: Vector | None = None
    pix0_vector_m: Vector | None = None

    # sensor; mu None means no depth was given
    sensor_mu_inv_m: Number | None = None
    sensor_thick_m: Number = 0.0
    sensor_layers: int | None = None

    # sampling, selection and background; a negative ROI limit means its default
    oversample: int | None = None
    oversample_thick: bool = False
    oversample_polar: bool = False
    oversample_omega: bool = False
    roi: tuple[int, int, int, int] | None = None
    dmin_m: float = 0.0
    water_m: Number = 0.0

    # output
    float_file: str = "floatimage.bin"
    int_file: str = "intimage.img"
    pgm_file: str = "image.pgm"
    noise_file: str = "noiseimage.img"
    write_pgm: bool = True
    write_noise: bool = True
    int_scale: float = 0.0
    pgm_scale: float = 0.0
    adc_offset: float = 40.0

    # random numbers, as stored: minus the option's value (R2.1); None means the time
    noise_seed: int | None = None
    mosaic_seed: int = -12345678
    misset_seed: int | None = None

    # how to run
    progress: bool = True
    trace_pixel: tuple[int, int] | None = None
    device: str = "cpu"
    dtype: str = "float64"
    physics: str = "nanobragg"

    # where the geometry came from, to compare it with what was made of it
    header: HeaderRun | None = field(default=None, compare=False, repr=False)

    @property
    def corrected(self) -> bool:
        """Whether the image defects of the historical program are corrected (P8.4)."""
        return self.physics == "corrected"

    @property
    def pivot_in_force(self) -> Pivot:
        """The pivot: forced by a named convention, the user's under CUSTOM (P2.4, P2.4.1)."""
        return FORCED_PIVOT.get(self.convention, self.pivot)
