"""The C reference against the check values of the specification."""

import hashlib
import struct

import pytest

HISTORICAL, SPECIFICATION = "nanoBragg", "nanoBragg-spec"
BOTH = [HISTORICAL, SPECIFICATION]

CELL = "-cell 70 80 90 75 85 95".split()
COMMON = [
    *CELL,
    *(
        "-misset 10 20 30 -default_F 10 -N 5 -distance 100 -detpixels 8 -pixel 1 "
        "-lambda 1.1 -fluence 1e24 -oversample 1 -nonoise -nopgm"
    ).split(),
]
VECTORS = {
    "V1": ("", "2f3cc27c 305d69c8 33d5729b 3543c5c7"),
    "V2": ("-round_xtal", "3418b2c2 312bbe2e 3498ca45 36f5fc6f"),
    "V3": ("-gauss_xtal -fudge 1e-4", "3aa145b1 3aa25a1a 3aa22a1d 3aa2366e"),
    "V4": ("-tophat_spots -fudge 1e-5", "3aa15185 3aa26a8e 3aa238be 3aa238be"),
    "V5": ("-xds -detector_rotx 5 -detector_roty -3 -detector_rotz 7", "35b7af9d 30c2bdd4 2f9dd784 3458aeff"),
    "V6": ("-adxv -twotheta 12 -polar 0.9", "32e114ff 38655b6c 39953e88 340badeb"),
    "V8": ("-phi 2 -osc 1 -phisteps 3 -mosaic 0.5 -mosaic_dom 3", "3414dac1 32fa10f1 33d1bf53 30058777"),
    "V9": ("-divergence 2 -divsteps 3 -dispersion 1 -dispsteps 2", "329b6932 330f1b61 3357f373 365ab0ae"),
    "V10": (
        "-detector_thick 300 -detector_abs 200 -detector_thicksteps 3",
        "3019afa4 2f773a8c 330bfca3 3455dfd1",
    ),
    "V11": (
        "-detector_thick 300 -detector_abs 200 -detector_thicksteps 3 -oversample 2 "
        "-oversample_thick -oversample_polar -oversample_omega",
        "2cb30f9c 2b98feff 2e1713fe 3545b8f1",
    ),
    "V12": ("-water 50 -oversample 2", "422c9cdc 422de889 422daec4 422dd250"),
    "V13": ("-curved_det -point_pixel -nopolar", "3fc3598e 41404209 3d17f15b 41f39771"),
    "V14": (
        "-beam_vector 1 0.01 0.02 -polar_vector 0 0.1 1 -polar 0.8 -pivot sample -detector_rotx 2",
        "3769f0bb 332dda4d 316ba825 34524ddb",
    ),
}
V7 = "-phi 0 -osc 1 -phisteps 3"
V7_BITS = {
    HISTORICAL: "31219b26 31b578bf 33d1b36a 3459c1eb",
    SPECIFICATION: "31219b26 3169cb0f 33d33b2f 34d73464",
}


def four_pixels(folder):
    """Bit patterns at (slow, fast) = (0,0), (2,5), (5,1), (7,7) of an 8 x 8 image."""
    words = struct.unpack("<64I", (folder / "floatimage.bin").read_bytes())
    return " ".join(f"{words[8 * s + f]:08x}" for s, f in [(0, 0), (2, 5), (5, 1), (7, 7)])


def trace(text):
    """First line of every trace key: list of value strings."""
    found = {}
    for line in text.splitlines():
        if line.startswith("TRACE_C: "):
            key, *values = line.split()[1:]
            found.setdefault(key, values)
    return found


@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize("case", VECTORS)
def test_p10_1_vectors_bit_for_bit(programs, tmp_path, program, case):
    """P10.1: the image has the historical bits."""
    options, bits = VECTORS[case]
    programs.good(program, *COMMON, *options.split(), cwd=tmp_path)
    assert four_pixels(tmp_path) == bits


@pytest.mark.parametrize("program", BOTH)
def test_p10_1_v7_differs_between_the_modes(programs, tmp_path, program):
    """P10.1 V7, P8.1: a spindle step at 0 is stale in historical mode only."""
    programs.good(program, *COMMON, *V7.split(), cwd=tmp_path)
    assert four_pixels(tmp_path) == V7_BITS[program]


P10_2 = {
    "pix0_vector_meters": "0x1.999999999999ap-4 0x1.47ae147ae147cp-8 -0x1.47ae147ae147cp-8",
    "rot_a_star_A_inv": "0x1.80fc600f53e85p-7 0x1.bc8b197baafb5p-8 -0x1.4399e1b0aaab8p-8",
    "rot_b_star_A_inv": "-0x1.26c852117e9d8p-8 0x1.8d1fdcfd139b6p-7 0x1.a468103e770aep-10",
    "rot_c_star_A_inv": "0x1.2347919977cd9p-8 -0x1.8e5e0a4bb82d1p-9 0x1.4fe1b0fab6744p-7",
    "R_distance_meters": "0x1.99bbac55c97e8p-4",
    "diffracted_vec": "0x1.ffd56c1f7d144p-1 0x1.997789b2ca76cp-6 0x1.4792d48f085dfp-8",
    "omega_pixel_sr": "0x1.a30593db823edp-14",
    "polar": "0x1.ffd56de4b3d9ep-1",
    "scattering_vec_A_inv": "-0x1.687c8f25a30aap+21 0x1.b158f6740337fp+27 0x1.5aad91f668f87p+25",
    "hkl_frac": "0x1.e7b3c395718bap-2 0x1.b5cb3f706da19p+0 0x1.9efc8e080ceeep-2",
    "F_latt": "-0x1.9ccd604c2b0b3p-4",
    "I_pixel_final": "0x1.bad38fdbcaf5dp-31",
}


def test_p10_2_intermediate_values(programs, tmp_path):
    """P10.2: every traced intermediate of V1 agrees in the 15 printed digits."""
    found = trace(programs.good(SPECIFICATION, *COMMON, "-trace_pixel", 2, 5, cwd=tmp_path))
    for key, value in P10_2.items():
        assert found[key] == [f"{float.fromhex(x):.15g}" for x in value.split()], key


C7_SAMPLE = {
    "pix0_vector_meters": "0.1 0.0005 -0.0005",
    "pixel_pos_meters": "0.1 0.00015 5e-05",
    "R_distance_meters": "0.100000124999922",
    "omega_pixel_sr": "9.99996250011718e-07",
    "scattering_vec_A_inv": "-12499.976563829 14999981.2500351 4999993.75001172",
    "hkl_frac": "-0.000124999765638277 0.149999812500351 0.0499999375001172",
    "F_latt": "35.2016019518563",
    "I_before_scaling": "12391527.7997693",
    "polar": "0.999998750003125",
    "I_pixel_final": "12.3914658423723",
    "floatimage_accumulated": "12.3914661407471",
}
C7_KEYS = (
    "pix0_vector_meters fdet_vec sdet_vec pixel_pos_meters R_distance_meters omega_pixel_sr "
    "close_distance_meters obliquity_factor diffracted_vec incident_vec lambda_meters lambda_angstroms "
    "scattering_vec_A_inv rot_a_angstroms rot_b_angstroms rot_c_angstroms rot_a_star_A_inv "
    "rot_b_star_A_inv rot_c_star_A_inv hkl_frac hkl_rounded F_latt_a F_latt_b F_latt_c F_latt F_cell "
    "I_before_scaling r_e_meters r_e_sqr fluence_photons_per_m2 steps oversample_thick oversample_polar "
    "oversample_omega capture_fraction polar omega_pixel cos_2theta I_pixel_final "
    "floatimage_accumulated"
).split()
F13_1 = (
    "-cell 100 100 100 90 90 90 -lambda 1 -distance 100 -detpixels 8 -default_F 100 -N 5 -oversample 1"
).split()


@pytest.mark.parametrize("program", BOTH)
def test_c7_trace_sample_keys_and_order(programs, tmp_path, program):
    """C7: all 40 keys in order, with the sample's values."""
    found = trace(programs.good(program, *F13_1, "-trace_pixel", 3, 5, cwd=tmp_path))
    assert list(found) == C7_KEYS
    assert {key: " ".join(found[key]) for key in C7_SAMPLE} == C7_SAMPLE


SHA256 = {
    "floatimage.bin": "ad6a0a8198a70a935492be86d8aff1193716d124ea12a17d4939253e75be588b",
    "intimage.img": "7ae0b4a2397e4c182f7a38b1489b26cb8159fc37f3a0e0c2c4175355ee282101",
    "image.pgm": "087eeeb210f1c2cd1bc9e6799015183bcb4a628cc0fe94d9125870bc225bc125",
    "noiseimage.img": "6fb3c536583063c18da1d5960656378a8a31924068cd3239dae8d7503da22713",
}


@pytest.mark.parametrize("program", BOTH)
def test_f13_1_all_files_byte_for_byte(programs, tmp_path, program):
    """F13.1, R11.10: the four images and the printed statistics."""
    text = programs.good(program, *F13_1, "-seed", 1, cwd=tmp_path)
    assert {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in SHA256} == SHA256
    for line in (
        "max_I = 104.364 ",
        "mean= 9.32441 rms= 26.7517 rmsd= 25.0465",
        "intfile_scale = 527.003",
        "pgm_scale = 1.99629",
        "619 photons",
    ):
        assert line in text
    assert "(0 overloads)" in text


@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize(
    ("offset", "integer", "noise"), [("65535", 65535, 65535), ("65534.5", 65535, 65534), ("0", 0, 0)]
)
def test_r10_2_offsets_at_the_ends_without_a_photon(programs, tmp_path, program, offset, integer, noise):
    """R10.2, F8.2, F11.2: integers are rounded and noise is truncated; exactly 65535 is no overload."""
    options = [*F13_1, "-seed", 1, "-fluence", 0, "-adc", offset, "-roi", 2, 7, 0, 7]
    text = programs.good(program, *options, cwd=tmp_path)
    for name, count in (("intimage.img", integer), ("noiseimage.img", noise)):
        pixels = struct.unpack("<64H", (tmp_path / name).read_bytes()[512:])
        assert pixels == (0, 0, count, count, count, count, count, count) * 8
    assert (tmp_path / "image.pgm").read_bytes() == b"P5\n8 8\n# pixels scaled by 1\n255\n" + bytes(64)
    assert "0 photons" in text and "(0 overloads)" in text


@pytest.mark.parametrize(
    ("seed", "angles"),
    [
        (12345, "105.720755 -34.951318 -97.823571"),
        (54321, "-27.529715 53.373759 91.879165"),
        (1, "4.662957 -11.844979 17.622548"),
    ],
)
def test_r11_6_random_orientation(programs, tmp_path, seed, angles):
    """R11.6, C9.2: the printed angles; the seed never acts as a misset angle."""
    options = [
        "-misset",
        "random",
        "-misset_seed",
        seed,
        "-N",
        5,
        "-lambda",
        1,
        "-detpixels",
        4,
        "-default_F",
        1,
    ]
    assert f"misset angles: {angles} deg" in programs.good(SPECIFICATION, *CELL, *options, cwd=tmp_path)


def test_p6_10_interpolation_switch_is_independent_of_threads(programs, tmp_path):
    """P6.10: the one-thread image for any number of threads, switching in mid image."""
    rows = [
        f"{h} {k} {l} {1 + (7 * h + 5 * k + 3 * l) % 11}"
        for h in range(-5, 6)
        for k in range(-5, 6)
        for l in range(-5, 6)
    ]
    (tmp_path / "box.hkl").write_text("\n".join(rows))
    options = [
        *CELL,
        *"-hkl box.hkl -interpolate -N 5 -detpixels 40 -pixel 0.8 -distance 100 -nonoise -nopgm".split(),
    ]
    images = set()
    for threads in (1, 2, 3, 7):
        done = programs(SPECIFICATION, *options, "-Xbeam", 4, cwd=tmp_path, threads=threads)
        assert "-interpolate: interpolation left the structure-factor table" in done.stderr
        images.add((tmp_path / "floatimage.bin").read_bytes())
    assert len(images) == 1


def test_p8_4_corrected_equals_nanobragg_where_nothing_is_corrected(programs, tmp_path):
    """P8.4: bit identical without sensor, water and per-subpixel switches; different with them."""
    images = {}
    for physics in ("nanobragg", "corrected"):
        for options in ("-oversample 2 -phi 2 -osc 1 -mosaic 0.5", "-oversample 2 -oversample_omega"):
            programs.good(SPECIFICATION, *COMMON, *options.split(), "-physics", physics, cwd=tmp_path)
            images[physics, options] = (tmp_path / "floatimage.bin").read_bytes()
    plain, switched = "-oversample 2 -phi 2 -osc 1 -mosaic 0.5", "-oversample 2 -oversample_omega"
    assert images["nanobragg", plain] == images["corrected", plain]
    assert images["nanobragg", switched] != images["corrected", switched]


def test_p8_4_corrected_layers_sum_to_the_absorbed_fraction(programs, tmp_path):
    """P8.4, HD-THK-1 and 2: layers without visible parallax share one total capture."""
    totals = []
    for layers in (1, 4):
        programs.good(
            SPECIFICATION,
            *COMMON,
            "-physics",
            "corrected",
            "-detector_thick",
            1,
            "-detector_abs",
            5,
            "-thicksteps",
            layers,
            "-round_xtal",
            "-N",
            1,
            "-nopolar",
            cwd=tmp_path,
        )
        totals.append(sum(struct.unpack("<64f", (tmp_path / "floatimage.bin").read_bytes())))
    assert totals[1] == pytest.approx(totals[0], rel=1e-4)


@pytest.mark.parametrize("program", BOTH)
def test_hd_pol_1_a_polarization_of_zero_counts_as_not_computed(programs, tmp_path, program):
    """HD-POL-1, P6.3: the first sub-pixel lies at 90 degrees along the polarization, the second counts.

    In the plane of beam and polarization the factor of Kahn 1 is the squared cosine of 2theta.
    """
    along = (
        "-beam_vector 1 0 0 -fdet_vector 1 0 0 -sdet_vector 0 1 0 -odet_vector 0 0 1 -polar_vector 0 0 1 "
        "-close_distance 100 -Xclose 0.25 -Yclose 0.25 -oversample 2"
    ).split()
    pixel = {}
    for option in ("-polar 1", "-nopolar"):
        programs.good(program, *COMMON, *along, *option.split(), cwd=tmp_path)
        (pixel[option],) = struct.unpack("<f", (tmp_path / "floatimage.bin").read_bytes()[:4])
    # the second sub-pixel is 0.5 mm further along the beam; the pixels are float32
    expected = 0.5**2 / (0.5**2 + 100**2)
    assert pixel["-polar 1"] / pixel["-nopolar"] == pytest.approx(expected, rel=1e-6)


def test_c8_5_7_historical_program_rejects_corrected_physics(programs, tmp_path):
    """C8.5.7: only the specification-mode program offers it."""
    done = programs(HISTORICAL, *COMMON, "-physics", "corrected", cwd=tmp_path)
    assert done.returncode == 9
    assert "corrected" in done.stderr
