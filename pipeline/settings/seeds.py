"""Random numbers: one named stream for each use, all seeded by `seed`."""

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random numbers for one use; they do not depend on other uses.

    PCG64 seeded by `seed` and `name`; NumPy's draws, unlike torch's, do not change with the
    processor's instruction set.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=tuple(name.encode()))
    return np.random.Generator(np.random.PCG64(sequence))
