"""Random command lines made of the table of options, with values that are good, bad or at the edge."""

from __future__ import annotations

from random import Random

from corpus import GOOD_FILES

from nanobrag_torch.command_line.flags import FLAGS, Flag, Kind

# here the programs may differ: C8.5.3, C8.5.4 and C8.5.8 leave it to them what they offer
DIFFERENT_BY_RIGHT = frozenset({"-device", "-dtype", "-hkl_column"})

START = "-cell 10 12 14 85 95 100 -default_F 3 -N 5 -pixel 10 -lambda 1.1"
# last, so that no line asks for an image that takes long, or for one that depends on the clock
END = "-detpixels 4 -oversample 1 -seed 3 -misset_seed 7"
MOST_OPTIONS = 8

# counts and steps are small or beyond all limits: what lies between is legal and takes hours
GOOD_REALS = "0 1 0.5 2.5 10 90 179 -1 -0.5 1e-3 100 1e2 +3 .5 5. -30".split()
EDGE_REALS = [
    *"1e308 -1e308 1e-308 5e-324 1e-320 1e200 -1e200 1e-200 1e154 1e-162 1e51 1e49 1e-60".split(),
    *"180 180.0000001 360 65535 65536 -0".split(),
]
BAD_REALS = [
    *"abc nan -nan inf -inf 1e999 -1e999 0x10 1e 1e+ 1,5 --5 1_0 1d2 . - + 1;".split(),
    *("", " 1", "1 ", "9" * 400, "\uff11"),
]
GOOD_INTEGERS = "0 1 2 3 5 4".split()
EDGE_INTEGERS = "-1 2147483646 2147483647 -2147483647 -2147483648 3.0 3. +2 007 -0".split()
BAD_INTEGERS = [
    *"2147483648 -2147483649 4294967296 18446744073709551617 1.5 1e3 0x3 abc nan -".split(),
    *("", "9" * 400, "1." + "0" * 300),
]
BAD_FILES = [*"missing . /dev/null no/such/folder /dev/full -x good.mat/x %s%n".split(), "", "x" * 300]
STRAY = [*"stray 5 -5 - -- -lamda --lambda -N=5 -Nx -cel -H \uff0dN".split(), "", "-" + "x" * 2000]
READ = frozenset({"C3.1", "C3.2", "C3.3", "C3.4", "C3.5", "C3.7", "C3.8", "C3.9"})
WRITTEN_FILES = ["out", "./out", "/dev/null", "good.hkl"]


def pick(rng: Random, good: list[str], edge: list[str], bad: list[str]) -> str:
    """Mostly a good value, so that several options of a line are looked at."""
    return rng.choice(rng.choices((good, edge, bad), (0.75, 0.2, 0.05))[0])


def file_name(rng: Random, flag: Flag) -> str:
    """A file for an option that reads or writes one: the right one, another one, or none that can be used."""
    name = f"good.{flag.name[1:]}"
    if flag.source in READ:
        good = [name if name in GOOD_FILES else "good.stol"]
    else:
        good = [*WRITTEN_FILES, "good.dump"]
    return pick(rng, good, sorted(GOOD_FILES), BAD_FILES)


def value(rng: Random, flag: Flag) -> str:
    """One value for an option."""
    match flag.kind:
        case Kind.INTEGER:
            return pick(rng, GOOD_INTEGERS, EDGE_INTEGERS, BAD_INTEGERS)
        case Kind.FILE:
            return file_name(rng, flag)
        case Kind.WORD:
            return rng.choice([*flag.words, *flag.words, "Beam", "", "x"])
        case Kind.NAME:
            return rng.choice(["FP", "good.hkl", "", "-FP"])
        case Kind.MISSET:
            return rng.choice([*GOOD_REALS, "random", "rand", "x"])
        case Kind.DEPTH:
            return rng.choice([*GOOD_REALS, *EDGE_REALS, "inf", "infinite", "-inf", "in"])
        case _:
            return pick(rng, GOOD_REALS, EDGE_REALS, BAD_REALS)


def option(rng: Random) -> list[str]:
    """An option with its values, sometimes with one too few or too many."""
    flag = rng.choice(FLAGS)
    count = 0 if flag.kind is Kind.SWITCH else flag.arity
    if flag.kind is Kind.CELL:
        count = rng.randint(0, 7)
    if flag.kind is Kind.MISSET and rng.random() < 0.3:
        return [rng.choice(flag.spellings), "random"]
    if rng.random() < 0.02:
        count += rng.choice((-1, 1))
    return [rng.choice(flag.spellings), *(value(rng, flag) for _ in range(count))]


def command_line(rng: Random) -> list[str]:
    """One to eight options, between what every run needs and what keeps it short."""
    words = START.split() if rng.random() < 0.95 else []
    for _ in range(rng.randint(1, MOST_OPTIONS)):
        words += [rng.choice(STRAY)] if rng.random() < 0.01 else option(rng)
    return words + END.split() if rng.random() < 0.98 else words[: rng.randint(0, len(words))] + END.split()
