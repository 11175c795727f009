"""The numbers of the SMV header, from the experiment (P2.9)."""

from __future__ import annotations

from nanobrag_torch.constants import DEGREES_PER_RADIAN
from nanobrag_torch.formats.smv_header import SmvFields
from nanobrag_torch.setup.experiment import Experiment


def smv_fields(experiment: Experiment) -> SmvFields:
    """Header of the integer and the noise image; the order of operations is that of P2.9."""
    detector, orientations = experiment.detector, experiment.orientations
    centres = detector.centres
    pixel_m, slow_m = float(detector.pixel_m), float(detector.slow_m)
    fbeam_m, sbeam_m = float(centres.fbeam_m), float(centres.sbeam_m)
    fclose_m, sclose_m = float(centres.fclose_m), float(centres.sclose_m)
    return SmvFields(
        width=detector.fast_pixels,
        height=detector.slow_pixels,
        pixel_mm=pixel_m * 1000.0,
        distance_mm=float(detector.distance_m) * 1000.0,
        wavelength_A=float(experiment.beam.wavelength_m) * 1e10,
        beam_center_mm=(float(centres.xbeam_m) * 1000.0, float(centres.ybeam_m) * 1000.0),
        adxv_center_mm=(fbeam_m * 1000.0, (slow_m - sbeam_m) * 1000.0),
        mosflm_center_mm=((sbeam_m - 0.5 * pixel_m) * 1000.0, (fbeam_m - 0.5 * pixel_m) * 1000.0),
        denzo_beam_mm=(sbeam_m * 1000.0, fbeam_m * 1000.0),
        dials_origin_mm=dials_origin_mm(experiment),
        xds_org_pixels=(fclose_m / pixel_m + 0.5, sclose_m / pixel_m + 0.5),
        close_distance_mm=float(detector.close_distance_m) * 1000.0,
        phi_deg=float(orientations.phi_start_rad) * DEGREES_PER_RADIAN,
        osc_deg=float(orientations.osc_rad) * DEGREES_PER_RADIAN,
        twotheta_deg=float(detector.twotheta_rad) * DEGREES_PER_RADIAN,
    )


def dials_origin_mm(experiment: Experiment) -> tuple[float, float, float]:
    """Outer corner of the first pixel in the frame of DIALS (P2.9)."""
    x, y, z = (float(component) for component in experiment.detector.pix0_m)
    return 1000.0 * z, 1000.0 * y, 1000.0 * -x
