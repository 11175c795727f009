"""The numbers of the SMV header, from the experiment (P2.9)."""

from __future__ import annotations

from nanobrag_torch.constants import DEGREES_PER_RADIAN
from nanobrag_torch.formats.smv_header import SmvFields
from nanobrag_torch.setup.experiment import Experiment
from nanobrag_torch.setup.header_centres import stated_centres


def smv_fields(experiment: Experiment) -> SmvFields:
    """Header of the integer and the noise image; the order of operations is that of P2.9."""
    detector, orientations = experiment.detector, experiment.orientations
    centres, stated = detector.centres, stated_centres(detector)
    return SmvFields(
        width=detector.fast_pixels,
        height=detector.slow_pixels,
        pixel_mm=float(detector.pixel_m) * 1000.0,
        distance_mm=float(detector.distance_m) * 1000.0,
        wavelength_A=float(experiment.beam.wavelength_m) * 1e10,
        beam_center_mm=(float(centres.xbeam_m) * 1000.0, float(centres.ybeam_m) * 1000.0),
        adxv_center_mm=stated.adxv_mm,
        mosflm_center_mm=stated.mosflm_mm,
        denzo_beam_mm=stated.denzo_mm,
        dials_origin_mm=stated.dials_origin_mm,
        xds_org_pixels=stated.xds_pixels,
        close_distance_mm=float(detector.close_distance_m) * 1000.0,
        phi_deg=float(orientations.phi_start_rad) * DEGREES_PER_RADIAN,
        osc_deg=float(orientations.osc_rad) * DEGREES_PER_RADIAN,
        twotheta_deg=float(detector.twotheta_rad) * DEGREES_PER_RADIAN,
    )
