"""What an import tells the catalogue: its intakes summed up, and of them only what is newer than what is known already."""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

import apsw
import numpy as np

from models.domain.conventions import spoken
from models.domain.presence_words import Cause
from models.storage.writing.headlines import Headlines
from models.storage.writing.intake import HeadlineSamples, Intake
from models.storage.writing.remembered import latest
from models.storage.writing.topic_totals import TopicSum

_KNOWN = """SELECT agent_id, max(last_seen_us, CASE cause WHEN ? THEN 0 ELSE since_us END), imported FROM agent_now
    WHERE agent_id IN (SELECT value FROM json_each(?))"""


def joined(before: Intake, after: Intake) -> Intake:
    """Both as one, without what only pulses need. Of presence the latest counts, as time may begin again in an import."""
    agents = dict(before.agents)
    for agent, (n, first_us, live_us) in after.agents.items():
        m, earliest_us, latest_us = agents.get(agent, (0, first_us, 0))
        agents[agent] = (n + m, min(first_us, earliest_us), max(live_us, latest_us))
    presence: dict[int, tuple[Any, ...]] = {}
    for row in (*before.presence, *after.presence):
        if row[0] not in presence or row[4] >= presence[row[0]][4]:
            presence[row[0]] = row
    tasks = {(agent, task): (state, us) for agent, task, state, us in (*before.tasks, *after.tasks)}
    return Intake(
        last_batch=after.last_batch,
        last_seq=after.last_seq,
        first_us=min(before.first_us, after.first_us),
        last_us=max(before.last_us, after.last_us),
        totals=tuple(one + other for one, other in zip(before.totals, after.totals, strict=True)),
        payload_bytes=before.payload_bytes + after.payload_bytes,
        topics=_summed(before.topics, after.topics),
        agents=agents,
        message_counts=[], log_errors=[], attempts=[], finished=[], replies=[],
        tasks=[(*key, *value) for key, value in tasks.items()],
        declarations=_told(before.declarations, after.declarations),
        presence=list(presence.values()),
        gaps=[],
        remembered=latest(before.remembered, after.remembered),
        samples=_last(before.samples, after.samples),
        positions={},
    )  # fmt: skip


def newer(catalogue: apsw.Connection, headlines: Headlines, intake: Intake, recording_since_us: int) -> Intake:
    """Without what speaks for the present of agents of which the catalogue knows something newer, or whom a recorder has
    heard since `recording_since_us` (0: none runs). Read before the intake is written."""
    told = {agent: live_us for agent, (_, _, live_us) in intake.agents.items()}
    for agent, *_, time_us in intake.presence:
        told[agent] = max(told.get(agent, 0), time_us)
    for row in intake.declarations:
        told.setdefault(row[0], 0)
    for agent, _, _, received_us in intake.tasks:
        told.setdefault(agent, received_us)
    known: list[Any] = catalogue.execute(_KNOWN, (Cause.NOT_HEARD.value, json.dumps(list(told)))).fetchall()
    beaten = {
        agent
        for agent, known_us, imported in known
        if known_us > told[agent] or (recording_since_us and not imported and known_us >= recording_since_us)
    }
    if not beaten:
        return intake
    samples = intake.samples
    return dataclasses.replace(
        intake,
        tasks=[row for row in intake.tasks if row[0] not in beaten],
        declarations=[row for row in intake.declarations if row[0] not in beaten],
        presence=[row for row in intake.presence if row[0] not in beaten],
        samples=samples.pick(~np.isin(headlines.agent[samples.series], sorted(beaten))),
    )


def _summed(*parts: Iterable[TopicSum]) -> list[TopicSum]:
    sums: dict[int, TopicSum] = {}
    for one in (one for part in parts for one in part):
        known = sums.get(one.topic)
        if known is None:
            sums[one.topic] = one
        else:
            newest = max(known, one, key=lambda some: (some.last_us, some.agent))
            total = (known.messages + one.messages, known.payload_bytes + one.payload_bytes)
            sums[one.topic] = TopicSum(one.topic, *total, *newest[3:])
    return list(sums.values())


def _told(*parts: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """One declaration for each agent: None leaves what was said before."""
    said: dict[int, tuple[Any, ...]] = {}
    for row in (row for part in parts for row in part):
        old = said.get(row[0], row)
        merged = [was if now is None else now for was, now in zip(old, row, strict=True)]
        merged[1] = spoken(old[1], row[1])
        said[row[0]] = tuple(merged)
    return list(said.values())


def _last(*parts: HeadlineSamples) -> HeadlineSamples:
    """The last sample of every series."""
    every = HeadlineSamples(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    _, place = np.unique(every.series[::-1], return_index=True)
    return every.pick(len(every.series) - 1 - place)
