"""Gaussian and Poisson deviates, one at a time (R3 to R5).

Every step named in the text as binary32 is rounded: these functions decide which
uniform deviates are accepted, so a computation in higher precision gives other
numbers (R5.5). ``poisson_image`` is the fast form; this one is its measure.
"""

from __future__ import annotations

import math

import numpy as np

from nanobrag_torch.random_numbers.uniform import Stream

b32 = np.float32

GAUSSIAN_ABOVE = 1000000.0
PRODUCT_BELOW = 12.0
LANCZOS = (
    76.18009172947146,
    -86.50532032941677,
    24.01409824083091,
    -1.231739572450155,
    0.001208650973866179,
    -0.000005395239384953,
)
LANCZOS_START = 1.000000000190015
ROOT_OF_TWO_PI = 2.5066282746310005


def log_gamma(z: np.float32) -> np.float32:
    """Logarithm of the gamma function of ``z`` above 0: binary64 inside, rounded (R4)."""
    x = float(z)
    t = x + 5.5
    t = t - (x + 0.5) * math.log(t)
    total = LANCZOS_START
    term = x
    for coefficient in LANCZOS:
        term += 1.0
        total += coefficient / term
    return b32(-t + math.log(ROOT_OF_TWO_PI * total / x))


class Deviates:
    """Deviates drawn from one stream; the second Gaussian deviate of a pair is kept (R3)."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._stored: np.float32 | None = None

    def gaussian(self) -> np.float32:
        """Zero mean, unit variance, by the polar method (R3)."""
        if self._stored is not None:
            stored, self._stored = self._stored, None
            return stored
        while True:
            v1 = b32(2.0 * self.stream.draw() - 1.0)
            v2 = b32(2.0 * self.stream.draw() - 1.0)
            square = v1 * v1 + v2 * v2
            if 0.0 < square < 1.0:
                break
        r = float(square)
        factor = b32(math.sqrt(-2.0 * math.log(r) / r))
        self._stored = v1 * factor
        return v2 * factor

    def poisson(self, mean: np.float32) -> np.float32:
        """Poisson deviate; an integer unless ``mean`` is above a million (R5)."""
        if mean > GAUSSIAN_ABOVE:
            return self._poisson_by_gaussian(float(mean))
        if mean < PRODUCT_BELOW:
            return self._poisson_by_product(float(mean))
        return self._poisson_by_rejection(mean)

    def _poisson_by_gaussian(self, mean: float) -> np.float32:
        """Not rounded to an integer (R5.2)."""
        return b32(mean + math.sqrt(mean) * float(self.gaussian()))

    def _poisson_by_product(self, mean: float) -> np.float32:
        """As many uniform deviates as keep their product above exp(-mean) (R5.3).

        The comparison with a mean below about -88 would overflow binary32; any
        limit above 1 ends at the first deviate.
        """
        limit = b32(math.exp(min(-mean, 1.0)))
        count, product = 0, b32(self.stream.draw())
        while product > limit:
            product = product * b32(self.stream.draw())
            count += 1
        return b32(count)

    def _poisson_by_rejection(self, mean: np.float32) -> np.float32:
        """Candidates from a Lorentzian, accepted by the ratio to the Poisson weight (R5.4)."""
        width = b32(math.sqrt(2.0 * float(mean)))
        log_mean = b32(math.log(float(mean)))
        peak = mean * log_mean - log_gamma(b32(float(mean) + 1.0))
        while True:
            y = b32(math.tan(math.pi * self.stream.draw()))
            candidate = width * y + mean
            if candidate < 0:
                continue
            candidate = b32(math.floor(candidate))
            if self.stream.draw() <= acceptance(y, candidate, log_mean, peak):
                return candidate


def acceptance(y: np.float32, candidate: np.float32, log_mean: np.float32, peak: np.float32) -> float:
    """Probability, up to a constant, to keep ``candidate``; step 4 of R5.4, a binary32 number."""
    weight = candidate * log_mean - log_gamma(b32(float(candidate) + 1.0)) - peak
    return float(b32(0.9 * (1.0 + float(y * y)) * math.exp(float(weight))))
