"""Pairs of agents that talked, as rows with names and figures."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.flow_queries import FlowResult
from widgets.common.numbers import count_text
from widgets.common.plain import visible
from widgets.records.agent_names import AgentNames

FAILS_FROM, SLOW_FROM_US = 0.05, 1_000_000
"""From this share of failures, and this 95th percentile of replies on, a pair is worth looking at."""


class Pair(NamedTuple):
    """`ratio`: failed ÷ finished, None: nothing has finished. Quantiles of replies in µs, None: never answered."""

    sender: int
    receiver: int
    sender_name: str
    receiver_name: str
    interactions: int
    per_minute: float
    finished: int
    failed: int
    ratio: float | None
    p50_us: int | None
    p95_us: int | None
    p99_us: int | None
    last_us: int


def node_name(result: FlowResult, names: AgentNames, node: int) -> str:
    """Of an agent, or of a group with how many it is; empty: nobody knows who."""
    if node >= 0:
        return names.name(node)
    group = result.groups[-1 - node]
    return f"{visible(group.name)} ({count_text(len(group.members))})"


def pairs_of(result: FlowResult, names: AgentNames, span_us: int) -> list[Pair]:
    """Failing ones first, then slow ones, each from the worst; then by how often. By columns: there may be tens of thousands."""
    minutes = span_us / 60_000_000
    ratio = np.divide(result.failed, result.finished, out=np.full(len(result.count), np.nan), where=result.finished > 0)
    p95_us = result.reply_us[:, 1]
    failing, slow = ratio >= FAILS_FROM, p95_us >= SLOW_FROM_US
    worst = np.where(failing, ratio, np.where(slow, p95_us, 0))
    order = np.lexsort((-result.count, -worst, ~slow, ~failing))
    nodes = {*result.sender.tolist(), *result.receiver.tolist()}
    told = {node: node_name(result, names, node) for node in nodes}
    sender, receiver = result.sender[order].tolist(), result.receiver[order].tolist()
    quantiles = (_known(column, np.int64) for column in result.reply_us[order].T)
    return list(
        map(
            Pair, sender, receiver, map(told.__getitem__, sender), map(told.__getitem__, receiver), result.count[order].tolist(),
            (result.count[order] / minutes if minutes else np.zeros(len(order))).tolist(), result.finished[order].tolist(),
            result.failed[order].tolist(), _known(ratio[order], np.float64), *quantiles, result.last_us[order].tolist(),
        )
    )  # fmt: skip


def _known(values: npt.NDArray[np.float64], kind: type[np.generic]) -> list[Any]:
    """NaN becomes None."""
    missing = np.isnan(values)
    told = np.where(missing, 0, values).astype(kind).astype(object)
    told[missing] = None
    return told.tolist()
