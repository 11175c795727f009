#include "settings.h"

nb_settings nb_default_settings (int64_t now) {
  nb_settings s = {
    .dump = "Fdump.bin",
    .interpolate = NB_AUTO,
    .cells = { 1, 1, 1 }, .shape = NB_SQUARE, .fudge = 1.0,
    .mosaic_spread = -1.0, .mosaic_domains = -1,
    .osc = -1.0, .phistep = -1.0, .phisteps = -1,
    .wavelength = 1.0e-10,
    .fluence = 125932015286227086360700780544.0,
    .exposure = 1.0, .beamsize = 1.0e-4, .polarization = NB_ON,
    .dispersion_steps = -1,
    .divergence = { -1.0, -1.0 }, .divergence_step = { -1.0, -1.0 },
    .divergence_steps = { -1, -1 }, .round_divergence = NB_ON,
    .pixel = 1.0e-4, .size = { 0.1024, 0.1024 }, .distance = 0.1,
    .pivot = NB_PIVOT_BEAM, .convention = NB_MOSFLM,
    .depth_mu = -1.0, .layers = -1,
    .oversample = -1, .roi = { -1, -1, -1, -1 },
    .float_file = "floatimage.bin", .int_file = "intimage.img",
    .pgm_file = "image.pgm", .noise_file = "noiseimage.img",
    .noise_on = NB_ON, .pgm_on = NB_ON, .adc = 40.0,
    .noise_seed = -now, .mosaic_seed = -12345678, .misset_seed = -now,
    .progress = NB_ON, .trace = { -1, -1 },
  };
  return s;
}
