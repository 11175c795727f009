"""The files of nanoBragg: one module per format, reading and writing."""
