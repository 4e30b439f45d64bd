"""Where the agents of a graph stand: near those they talk with, and where they stood before as long as they are there."""

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.float64]
_ROUNDS, _ROUNDS_MORE = 160, 40
_COOLING = 0.96


def arranged(
    nodes: Sequence[int], edges: Sequence[tuple[int, int, float]], before: Mapping[int, tuple[float, float]]
) -> Places:
    """[node, x and y] in 0 to 1. `edges`: places in `nodes`, and a weight. What is not in `before` begins at a place that its
    id gives, so that the same fleet looks the same every day. Forces as Fruchterman and Reingold have them."""
    n = len(nodes)
    if n == 0:
        return np.empty((0, 2))
    known = np.array([node in before for node in nodes])
    at = np.array([before.get(node) or _begin(node, number, n) for number, node in enumerate(nodes)])
    ideal = 0.9 / np.sqrt(n)
    heat = 0.12 if not known.all() else 0.02
    first = np.array([a for a, b, _ in edges if a != b], np.intp)
    second = np.array([b for a, b, _ in edges if a != b], np.intp)
    weight = np.array([w for a, b, w in edges if a != b])
    for _ in range(_ROUNDS if not known.any() else _ROUNDS_MORE):
        squares = (at**2).sum(axis=1)
        distance_2 = np.maximum(squares[:, None] + squares[None, :] - 2 * at @ at.T, 1e-8)
        strength = (
            ideal**2 / distance_2
        )  # a matrix of pairs and products of matrices, not a vector for each pair: many times as fast
        push = at * strength.sum(axis=1)[:, None] - strength @ at
        if len(first):
            along = at[first] - at[second]
            length = np.maximum(np.sqrt((along**2).sum(axis=1)), 1e-4)
            pull = along * (length / ideal * weight)[:, None]
            np.add.at(push, first, -pull)
            np.add.at(push, second, pull)
        push -= (at - 0.5) * 0.35  # what talks to nobody else does not drift away
        size = np.maximum(np.sqrt((push**2).sum(axis=1)), 1e-9)
        at += push / size[:, None] * np.minimum(size, heat)[:, None]
        heat *= _COOLING
    return _fitted(at)


def _begin(node: int, number: int, n: int) -> tuple[float, float]:
    chance = zlib.crc32(str(node).encode()) / 2**32
    angle = 2 * np.pi * (number + chance * 0.5) / n
    return 0.5 + 0.35 * float(np.cos(angle)), 0.5 + 0.35 * float(np.sin(angle))


def _fitted(at: Places) -> Places:
    low, high = at.min(axis=0), at.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    return np.where(high - low < 1e-6, 0.5, (at - low) / span)
