"""Uniform deviates: minimal-standard generator with a shuffle of 32 entries (R1, R2).

The historical program shares the shuffle table between its streams. Seeds are
never positive here (R2.4), so each stream fills the table at its first draw, and
a table per stream gives the same numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MULTIPLIER = 16807
MODULUS = 2147483647
ENTRIES = 32
WARM_UP = 8
SHIFT = 26
"""The divisor of R1.1 is 2**26: an output is a table index after this shift."""
SCALE = 1.0 / MODULUS
CEILING = 1.0 - 1.2e-7
LARGEST = float(np.float32(CEILING))

FIRST_BLOCK = 64
LARGEST_BLOCK = 65536

ALL_ENTRIES = np.arange(ENTRIES, dtype=np.uint8)

Uniforms = npt.NDArray[np.float32]
States = npt.NDArray[np.int64]


class Stream:
    """One stream of uniform deviates between 0 and 1, exclusive; each is a binary32 number.

    ``seed`` is the initial stream variable, at most 0: minus the value of the option.
    Deviates are made in growing blocks and handed out one by one (``draw``), many
    at a time (``take``), or shown before they are consumed (``ahead``, ``skip``).
    """

    def __init__(self, seed: int) -> None:
        if not -MODULUS < seed <= 0:
            raise ValueError(f"seed must be from {1 - MODULUS} to 0, got {seed}")
        self._table, self._state = _initialised(seed)
        self._output = int(self._table[0])
        self._block = FIRST_BLOCK
        self._states: States = np.array([self._state], dtype=np.int64)
        self._uniforms: Uniforms = np.empty(0, dtype=np.float32)
        self._position = 0
        self.drawn = 0
        """Deviates consumed so far."""

    @property
    def state(self) -> int:
        """Stream variable x after the last deviate consumed (R1.2)."""
        return int(self._states[self._position])

    def draw(self) -> float:
        """The next deviate."""
        if self._position == len(self._uniforms):
            self._extend()
        self._position += 1
        self.drawn += 1
        return float(self._uniforms[self._position - 1])

    def take(self, count: int) -> Uniforms:
        """The next ``count`` deviates, float32 of shape (count,)."""
        deviates = self.ahead(count)[:count].copy()
        self.skip(count)
        return deviates

    def ahead(self, count: int) -> Uniforms:
        """At least ``count`` deviates to come, not consumed; a view, do not change it."""
        while len(self._uniforms) - self._position < count:
            self._extend()
        return self._uniforms[self._position :]

    def skip(self, count: int) -> None:
        """Consume ``count`` deviates that ``ahead`` has shown."""
        self._position += count
        self.drawn += count

    def _extend(self) -> None:
        """Replace what is consumed by one more block."""
        states = _next_states(self._state, self._block)
        self._state = int(states[-1])
        uniforms = _as_uniforms(self._shuffled(states))
        self._states = np.concatenate([self._states[self._position :], states])
        self._uniforms = np.concatenate([self._uniforms[self._position :], uniforms])
        self._position = 0
        self._block = min(2 * self._block, LARGEST_BLOCK)

    def _shuffled(self, states: States) -> States:
        """Table outputs of the draws that push ``states`` into the table (R1.4, steps 2 and 3).

        A draw finds what the last draw of the same entry left there.
        """
        entries = np.concatenate([ALL_ENTRIES, self._entries(states)])
        left = np.concatenate([self._table, states])
        by_entry = np.argsort(entries, kind="stable")
        before = np.empty_like(by_entry)
        before[by_entry[1:]] = by_entry[:-1]
        last = np.flatnonzero(np.diff(entries[by_entry], append=ENTRIES))
        self._table = left[by_entry[last]]
        outputs: States = left[before[ENTRIES:]]
        self._output = int(outputs[-1])
        return outputs

    def _entries(self, states: States) -> npt.NDArray[np.uint8]:
        """Table entry of each draw: the leading bits of the output before it.

        The only serial part, so it looks at nothing but leading bits.
        """
        leading = (self._table >> SHIFT).tolist()
        entry = self._output >> SHIFT
        entries = []
        for pushed in (states >> SHIFT).astype(np.uint8).tobytes():
            entries.append(entry)
            leading[entry], entry = pushed, leading[entry]
        return np.frombuffer(bytes(entries), dtype=np.uint8)


def _initialised(seed: int) -> tuple[States, int]:
    """Shuffle table and stream variable after the first filling (R1.3)."""
    states = _next_states(max(-seed, 1), WARM_UP + ENTRIES)
    return states[: WARM_UP - 1 : -1].copy(), int(states[-1])


def _next_states(state: int, count: int) -> States:
    """The ``count`` stream variables that follow ``state``: by doubling, A^n x = A^n (x)."""
    states = np.empty(count, dtype=np.int64)
    states[0] = state * MULTIPLIER % MODULUS
    filled, factor = 1, MULTIPLIER
    while filled < count:
        more = min(filled, count - filled)
        # factor is A**filled; the products stay below 2**62
        states[filled : filled + more] = states[:more] * factor % MODULUS
        filled += more
        factor = factor * factor % MODULUS
    return states


def _as_uniforms(outputs: States) -> Uniforms:
    """Deviates of table outputs, rounded to binary32 and kept below 1 (R1.4, step 4)."""
    uniforms = (outputs * SCALE).astype(np.float32)
    uniforms[uniforms > CEILING] = LARGEST
    return uniforms
