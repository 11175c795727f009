"""From an experiment to the float image (P6): scene, pixel loop, tiles.

``scene`` settles what does not depend on the pixel, ``pixels`` orders the formulas
of ``physics`` as P6 orders them for the pixels of one tile, ``image`` cuts the
detector into tiles and puts the results together.
"""
