"""Which agents a heat-map lists, and in what order. Pure numpy."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from models.domain.heat_queries import Float32
from models.domain.queries import Int64


class Order(StrEnum):
    NAME = "name"
    HIGHEST = "highest"
    LOWEST = "lowest"
    NEWEST = "newest"


def searched_texts(names: Sequence[str], ids: Sequence[str]) -> list[str]:
    """What `fitting` looks through."""
    return [f"{name}\n{id_}".casefold() for name, id_ in zip(names, ids, strict=True)]


def fitting(typed: str, texts: Sequence[str]) -> Int64:
    """Rows in whose name or id every word stands."""
    words = typed.casefold().split()
    return np.flatnonzero(np.fromiter((all(word in text for word in words) for text in texts), bool, len(texts)))


def in_order(rows: Int64, value: Float32, order: Order) -> Int64:
    """Rows without a value come last. Of those with the same extreme the one comes first that is there the longest."""
    if order is Order.NAME or not value.shape[1]:
        return rows
    some = value[rows]
    key = {Order.HIGHEST: highest, Order.LOWEST: lowest, Order.NEWEST: newest}[order](some).astype(np.float64)
    mean = np.nansum(some, axis=1, dtype=np.float64) / np.maximum(1, (~np.isnan(some)).sum(axis=1))
    sign = 1.0 if order is Order.LOWEST else -1.0
    return rows[np.lexsort((sign * mean, np.where(np.isnan(key), np.inf, sign * key)))]


def newest(value: Float32) -> Float32:
    """The last value of each row; NaN: it has none."""
    if not value.shape[1]:
        return np.full(len(value), np.nan, np.float32)
    known = ~np.isnan(value)
    last = value.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    return np.where(known.any(axis=1), value[np.arange(len(value)), last], np.float32(np.nan))


def highest(value: Float32) -> Float32:
    """As above."""
    return _extreme(value, np.float32(-np.inf), np.maximum)


def lowest(value: Float32) -> Float32:
    """As above."""
    return _extreme(value, np.float32(np.inf), np.minimum)


def _extreme(value: Float32, nothing: np.float32, pick: np.ufunc) -> Float32:
    found: npt.NDArray[np.float32] = pick.reduce(np.where(np.isnan(value), nothing, value), axis=1, initial=nothing)
    return np.where(np.isinf(found), np.float32(np.nan), found)
