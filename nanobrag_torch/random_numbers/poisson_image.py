"""Poisson deviates of a whole image from one stream: the numbers of ``deviates``, many times faster.

The deviates of an image are serial: how many uniform deviates a pixel takes decides
where the next one begins. What can be computed without knowing that, is computed in
bulk for a window of uniform deviates; the walk over the pixels is then a few
comparisons each. It works in binary64 with a margin for the binary32 roundings of
R5. Where a comparison falls within its margin, the pixel is done by ``Deviates``,
so that the result is the same to the last bit.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from nanobrag_torch.random_numbers.deviates import (
    GAUSSIAN_ABOVE,
    LANCZOS,
    LANCZOS_START,
    PRODUCT_BELOW,
    ROOT_OF_TWO_PI,
    Deviates,
    acceptance,
    b32,
    log_gamma,
)
from nanobrag_torch.random_numbers.uniform import Stream

Binary32 = npt.NDArray[np.float32]
Binary64 = npt.NDArray[np.float64]

WINDOW = 65536
RESERVE = 4096
"""Uniform deviates left in a window when it is replaced; no pixel takes that many."""
BLOCK = 8192
SPARSE_BELOW = 0.03
"""Blocks with a smaller largest mean are nearly all zeros and are searched for the others."""
STRIDE = 1024
SUM_MARGIN = 1e-5
"""Bound of the error of a sum of logarithms: binary32 products of up to 100 factors have
6e-6, the running sum over a window 2e-6 at worst."""
MOST_FACTORS = 100
ULP = 1.2e-7
"""Twice the largest relative error of a rounding to binary32, so that it also covers the rest."""
TOO_COARSE = 0.25
AT_ONCE = 8192
ROUNDS = 8
"""Of guessing which pixel a uniform deviate is for; smooth images need three or four."""
TOO_FEW = 256
"""Pixels; where a look ahead settles fewer, the means vary too much for it."""
NEAR_TIE = 64
"""A binary64 number this many units in the last place from the middle between two binary32
numbers is computed again with the C library, whose last bit the bulk functions may miss."""


def poisson_image(means: Binary32, stream: Stream) -> Binary32:
    """Poisson deviate of each mean, in order, shape (pixels,).

    ``means`` must be finite. Equals ``Deviates(stream).poisson`` of one after the other.
    """
    walk = _Walk(stream, means)
    deviates = np.empty(len(means), dtype=np.float32)
    for start in range(0, len(means), BLOCK):
        block = means[start : start + BLOCK]
        deviates[start : start + BLOCK] = walk.best_for(block)(block)
    walk.finish()
    return deviates


class _Walk:
    """Position in the stream and the bulk numbers of the window ahead of it."""

    def __init__(self, stream: Stream, means: Binary32) -> None:
        self.stream = stream
        self.deviates = Deviates(stream)
        rejected = means[(means >= PRODUCT_BELOW) & (means <= GAUSSIAN_ABOVE)]
        self.rejection = bool(len(rejected))
        self.bulk_log_gammas = _log_gamma_table(float(rejected.max())) if self.rejection else rejected
        self.log_gammas: list[float] = self.bulk_log_gammas.tolist()
        self._open_window()

    def _open_window(self) -> None:
        """Bulk numbers for the next uniform deviates; ``i`` counts from the first of them."""
        ahead = self.stream.ahead(WINDOW)
        self.falls: Binary64 = -np.log(ahead.astype(np.float64))
        self.fallen: list[float] = np.concatenate([[0.0], np.cumsum(self.falls)]).tolist()
        if self.rejection:
            self.bulk_uniforms, self.bulk_tangents = ahead, _tangents(ahead)
            self.uniforms: list[float] = ahead.tolist()
            self.tangents: list[float] = self.bulk_tangents.tolist()
        self.i = 0
        self.synchronised = 0
        self.last = len(ahead) - RESERVE

    def finish(self) -> None:
        """Leave the stream where the walk has arrived."""
        self.stream.skip(self.i - self.synchronised)
        self.synchronised = self.i

    def _renew(self) -> None:
        self.finish()
        self._open_window()

    def exact(self, mean: float) -> float:
        """The deviate of one pixel, by the plain method."""
        self.finish()
        before = self.stream.drawn
        deviate = float(self.deviates.poisson(b32(mean)))
        self.i += self.stream.drawn - before
        self.synchronised = self.i
        return deviate

    def best_for(self, block: Binary32) -> Callable[[Binary32], Binary32 | list[float]]:
        """The fastest way through a block of means."""
        if block.max() < SPARSE_BELOW:
            return self.sparse
        bright = block.min() >= PRODUCT_BELOW and block.max() <= GAUSSIAN_ABOVE
        return self.bright if bright else self.dense

    def sparse(self, block: Binary32) -> Binary32:
        """Small means: all zeros, one uniform deviate each, but for a few pixels to be found."""
        deviates = np.zeros(len(block), dtype=np.float32)
        limits = block.astype(np.float64) + SUM_MARGIN
        pixel = 0
        while pixel < len(block):
            if self.i > self.last:
                self._renew()
            stop = min(pixel + STRIDE, len(block))
            candidates = self.falls[self.i : self.i + stop - pixel] <= limits[pixel:stop]
            zeros = int(candidates.argmax())
            if not candidates[zeros]:
                self.i += stop - pixel
                pixel = stop
                continue
            self.i += zeros
            pixel += zeros
            deviates[pixel] = self.exact(float(block[pixel]))
            pixel += 1
        return deviates

    def bright(self, block: Binary32) -> Binary32:
        """Means that all go by rejection: attempts in bulk, while neighbours are alike."""
        deviates = np.empty(len(block), dtype=np.float32)
        constants = _rejection_constants(block)
        pixel = 0
        while pixel < len(block):
            if self.i > self.last:
                self._renew()
            settled = self._attempts(block[pixel:], constants[:, pixel:])
            deviates[pixel : pixel + len(settled)] = settled
            pixel += len(settled)
            if len(settled) < min(TOO_FEW, len(block) - pixel):
                deviates[pixel:] = self.dense(block[pixel:])
                break
        return deviates

    def _attempts(self, means: Binary32, constants: Binary32) -> Binary32:
        """Deviates of the next few of ``means``, as far as one look ahead settles them (R5.4).

        An attempt takes one uniform deviate or two. Which pixel it is for depends on the attempts
        before it; that is guessed, and the guess mended until every attempt is for the pixel it was
        computed for, or up to the first for which that is not so.
        """
        ahead = slice(self.i, min(self.i + AT_ONCE, len(self.bulk_tangents) - 1))
        y, u = self.bulk_tangents[ahead], self.bulk_uniforms[self.i + 1 : ahead.stop + 1]
        last = len(means) - 1
        pixels = np.minimum(np.arange(len(y)) // 4, last)
        for _ in range(ROUNDS):
            width, log_mean, peak = constants[:, pixels]
            places = width * y + means[pixels]
            candidates = np.floor(places)
            fits = (places >= 0) & (u <= self._chances(y, candidates, log_mean, peak))
            starts = _starts(places < 0)
            taken = starts & fits
            found = np.minimum(np.cumsum(taken) - taken, last)
            wrong = starts & (means[found] != means[pixels])
            if not wrong.any():
                break
            pixels = found
        end = int(wrong.argmax()) if wrong.any() else len(y)
        accepted = np.flatnonzero(taken[:end])[: len(means)]
        if len(accepted):
            self.i += int(accepted[-1]) + 2
        settled: Binary32 = candidates[accepted]
        return settled

    def _chances(self, y: Binary32, candidates: Binary32, log_mean: Binary32, peak: Binary32) -> Binary32:
        """``deviates.acceptance`` of each attempt; without meaning for candidates below 0."""
        k = np.maximum(candidates, b32(0.0))
        table = self.bulk_log_gammas
        gammas = table[np.minimum(k, len(table) - 1).astype(np.int64)]
        beyond = np.flatnonzero(k >= len(table))
        gammas[beyond] = _log_gammas((k[beyond].astype(np.float64) + 1.0).astype(np.float32))
        weights = (k * log_mean - gammas - peak).astype(np.float64)
        chances = 0.9 * (1.0 + (y * y).astype(np.float64)) * np.exp(weights)

        # those below the normal binary32 numbers are below every uniform deviate, whatever their last bits
        def again(index: int) -> float:
            return acceptance(y[index], k[index], log_mean[index], peak[index])

        return _rounded(chances, again, _near_ties(chances))

    def dense(self, block: Binary32) -> list[float]:
        """Any means, pixel by pixel."""
        means = block.tolist()
        widths, log_means, peaks = _rejection_constants(block).tolist() if self.rejection else ([], [], [])
        deviates = []
        for pixel, mean in enumerate(means):
            if self.i > self.last:
                self._renew()
            if mean < PRODUCT_BELOW:
                deviates.append(self._by_product(mean))
            elif mean > GAUSSIAN_ABOVE:
                deviates.append(self.exact(mean))
            else:
                deviates.append(self._by_rejection(mean, widths[pixel], log_means[pixel], peaks[pixel]))
        return deviates

    def _by_product(self, mean: float) -> float:
        """R5.3 in logarithms: the product falls below exp(-mean) where the sum passes the mean."""
        i, fallen = self.i, self.fallen
        target = fallen[i] + mean
        if fallen[i + 1] > target + SUM_MARGIN:
            self.i = i + 1
            return 0.0
        end = bisect_left(fallen, target, i + 1, i + MOST_FACTORS)
        if fallen[end] - target < SUM_MARGIN or target - fallen[end - 1] < SUM_MARGIN:
            return self.exact(mean)
        self.i = end
        return float(end - i - 1)

    def _by_rejection(self, mean: float, width: float, log_mean: float, peak: float) -> float:
        """R5.4; every rounding is bounded, and where the bound matters it is done."""
        i, tangents, log_gammas = self.i, self.tangents, self.log_gammas
        while True:
            y = tangents[i]
            stretch = width * y
            place = stretch + mean
            margin = ULP * (abs(stretch) + mean)
            if place < -margin:
                i += 1
                continue
            candidate = math.floor(place)
            part = place - candidate
            if part < margin or part > 1.0 - margin or candidate >= len(log_gammas):
                exact_candidate = b32(width) * b32(y) + b32(mean)
                if exact_candidate < 0:
                    i += 1
                    continue
                candidate = math.floor(exact_candidate)
            elif candidate < 0:
                i += 1
                continue
            u = self.uniforms[i + 1]
            i += 2
            if self._accepted(u, y, candidate, log_mean, peak):
                self.i = i
                return float(candidate)

    def _accepted(self, u: float, y: float, candidate: int, log_mean: float, peak: float) -> bool:
        if candidate < len(self.log_gammas):
            rise = candidate * log_mean
            excess = rise - self.log_gammas[candidate]
            margin = ULP * (rise + 2.0 * abs(excess) + 4.0)
            if margin < TOO_COARSE:
                chance = 0.9 * (1.0 + y * y) * math.exp(excess - peak)
                if u < chance * (1.0 - margin):
                    return True
                if u > chance * (1.0 + margin):
                    return False
        return u <= acceptance(b32(y), b32(candidate), b32(log_mean), b32(peak))


def _starts(negative: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Where an attempt starts: it takes one uniform deviate if its candidate is ``negative``, else two.

    Behind a negative candidate one starts in any case; from there it is every second.
    """
    places = np.arange(len(negative))
    behind = np.maximum.accumulate(np.where(negative, places + 1, 0))
    behind = np.concatenate([[0], behind[:-1]])
    starts: npt.NDArray[np.bool_] = (places - behind) % 2 == 0
    return starts


def _rejection_constants(block: Binary32) -> Binary32:
    """Width, logarithm of the mean and peak of R5.4, shape (3, means); without meaning below 12."""
    means = np.maximum(block, b32(PRODUCT_BELOW))
    wide = means.astype(np.float64)
    widths = np.sqrt(2.0 * wide).astype(np.float32)
    log_means = _rounded(np.log(wide), lambda index: math.log(wide[index]))
    peaks = means * log_means - _log_gammas((wide + 1.0).astype(np.float32))
    return np.stack([widths, log_means, peaks])


def _tangents(uniforms: Binary32) -> Binary32:
    """Step 1 of R5.4: tan(pi u)."""
    angles = math.pi * uniforms.astype(np.float64)
    return _rounded(np.tan(angles), lambda index: math.tan(angles[index]))


def _log_gamma_table(largest_mean: float) -> Binary32:
    """``log_gamma(k + 1)`` for every k that is likely with means up to ``largest_mean``."""
    likely = int(largest_mean + 12.0 * math.sqrt(largest_mean) + 50.0)
    return _log_gammas(np.arange(1, likely + 1, dtype=np.float32))


def _log_gammas(z: Binary32) -> Binary32:
    """``deviates.log_gamma`` of each element."""
    x = z.astype(np.float64)
    t = x + 5.5
    t = t - (x + 0.5) * np.log(t)
    total = np.full_like(x, LANCZOS_START)
    for place, coefficient in enumerate(LANCZOS, start=1):
        total += coefficient / (x + place)
    return _rounded(-t + np.log(ROOT_OF_TWO_PI * total / x), lambda index: float(log_gamma(z[index])))


def _rounded(
    values: Binary64, again: Callable[[int], float], doubtful: npt.NDArray[np.bool_] | None = None
) -> Binary32:
    """``values`` as binary32; ``doubtful`` ones, near a tie or near 0, are computed ``again`` one by one."""
    if doubtful is None:
        doubtful = _near_ties(values) | (np.abs(values) < 1e-3)
    rounded = values.astype(np.float32)
    for index in np.flatnonzero(doubtful).tolist():
        rounded[index] = again(index)
    return rounded


def _near_ties(values: Binary64) -> npt.NDArray[np.bool_]:
    """Which ``values`` lie so near the middle of two binary32 numbers that their last bit decides."""
    lowest_bits = values.view(np.int64) & ((1 << 29) - 1)
    near: npt.NDArray[np.bool_] = np.abs(lowest_bits - (1 << 28)) <= NEAR_TIE
    return near
