"""Physical and numerical constants of P1.1 and C8.9."""

THOMSON_M2 = 7.94079248018965e-30
"""Classical electron radius squared, m^2."""
AVOGADRO = 6.02214179e23
EV_ANGSTROM = 12398.42
"""Photon energy in eV times wavelength in Angstrom."""
DEGREES_PER_RADIAN = float.fromhex("0x1.ca5dc1a63c1f8p+5")
"""180 times the binary64 nearest 1/pi."""
SMALLEST_NORMAL = 2.2250738585072014e-308
LARGEST_COUNT = 2147483647
"""Pixels, terms, cells, steps, Miller indices: the largest signed 32-bit integer (C8.9)."""
LOWEST_INDEX, HIGHEST_INDEX = -LARGEST_COUNT - 1, LARGEST_COUNT
"""Miller indices of a list or a cache: signed 32-bit integers (F2.7)."""
SHORTEST_VECTOR, LONGEST_VECTOR = 1e-100, 1e100
"""Between these a square is neither lost nor infinite, so a vector has a direction (C8.9)."""
SOURCE_DISTANCE_M = 10.0
WATER_ELECTRONS = 2.57
"""Amplitude of the constant background, electrons (P6.2)."""
