"""Random numbers: one named stream for each use, all from `seed`."""

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """The random numbers for one use, the same whatever else is drawn.

    PCG64 seeded by `seed` and `name`; NumPy's draws, unlike torch's, do not change with the
    processor's instruction set.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=tuple(name.encode()))
    return np.random.Generator(np.random.PCG64(sequence))
