"""Pairs of agents that talked, as rows with names and figures."""

import math
from typing import NamedTuple

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

    @property
    def trouble(self) -> tuple[int, float, int]:
        """Sorts failing pairs before slow ones before busy ones, each from the worst."""
        failing = self.ratio is not None and self.ratio >= FAILS_FROM
        slow = self.p95_us is not None and self.p95_us >= SLOW_FROM_US
        worst = (self.ratio or 0.0) if failing else float(self.p95_us or 0) if slow else 0.0
        return (2 if failing else 1 if slow else 0, worst, self.interactions)


def node_name(result: FlowResult, names: AgentNames, node: int) -> str:
    """Of an agent, or of a group with how many it is; empty: nobody knows who."""
    if node >= 0:
        return names.name(node)
    group = result.groups[-1 - node]
    return f"{visible(group.name)} ({count_text(len(group.members))})"


def pairs_of(result: FlowResult, names: AgentNames, span_us: int) -> list[Pair]:
    """Failing ones first, then slow ones, then by how often."""
    found = []
    told = {node: node_name(result, names, node) for node in {*result.sender.tolist(), *result.receiver.tolist()}}
    minutes = span_us / 60_000_000
    columns = (result.sender, result.receiver, result.count, result.finished, result.failed, result.last_us)
    for (sender, receiver, count, finished, failed, last), reply in zip(
        zip(*(one.tolist() for one in columns), strict=True), result.reply_us.tolist(), strict=True
    ):
        p50_us, p95_us, p99_us = (None if math.isnan(one) else int(one) for one in reply)
        found.append(
            Pair(
                sender, receiver, told[sender], told[receiver], count, count / minutes if minutes else 0.0, finished,
                failed, failed / finished if finished else None, p50_us, p95_us, p99_us, last,
            )
        )  # fmt: skip
    return sorted(found, key=lambda pair: pair.trouble, reverse=True)
