"""The harness that proves that independent diffraction programs compute the same image.

It drives the programs as processes, hashes what they read and write, compares the
images and writes evidence bundles. It imports neither the simulator nor the C code.
"""
