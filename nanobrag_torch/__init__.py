"""X-ray diffraction images of small crystals, with the command line of nanoBragg."""

__version__ = "0.1.0"
