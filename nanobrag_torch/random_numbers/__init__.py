"""The random numbers of nanoBragg, bit for bit (rng-noise.md)."""
