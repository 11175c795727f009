"""From what was asked for to every number that the pixel loop needs.

The set-up feeds the phase of every pixel, so its last bits count (P9.2): it is
float64 on the CPU, in the written operation order, with sines and cosines of
the C library. Its operations are differentiable, but a request holds plain numbers:
gradients begin at the tensors of an experiment. What is counted has none, nor what
is drawn at random.
"""
