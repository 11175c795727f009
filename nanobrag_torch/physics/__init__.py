"""The formulas of the pixel loop: pure functions, tensors in, tensors out.

No files, no flags, no state. A vector is a tuple of three tensors (laboratory
x, y, z), so that every product is written out in the order that P0.2 makes
normative. Nothing here may go through a library norm, dot or matrix product.
"""
