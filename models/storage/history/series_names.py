"""Which series there are, of all agents: a quarter of a million in one answer."""

from typing import Any

import numpy as np

from models.domain.headline import ROLES
from models.domain.names import SeriesKind
from models.domain.queries import CancelToken
from models.domain.series_names import SeriesNamesRequest, SeriesNamesResult, SeriesWords
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import fetch

_LOOK_EVERY = 20_000


def answer_series_names(view: StoreView, request: SeriesNamesRequest, token: CancelToken) -> SeriesNamesResult:
    """Those that the catalogue knows; a new one is there within about a second. Raises `Cancelled`."""
    places: dict[tuple[str, str, str, int, str], int] = {}
    ids: list[int] = []
    agents: list[int] = []
    told: list[int] = []
    rows: list[Any] = fetch(
        view.catalogue,
        "select id, agent_id, metric, labels, unit, kind, source from series where id > ? order by id",
        (request.after,),
    )
    for number, (id_, agent, *words) in enumerate(rows):
        if number % _LOOK_EVERY == 0:
            token.check()
        ids.append(id_)
        agents.append(agent)
        told.append(places.setdefault(tuple(words), len(places)))
    headline: dict[str, dict[int, int]] = {role: {} for role in ROLES}
    columns = ", ".join(f"{role}_series" for role in ROLES)
    for agent, *series in fetch(view.catalogue, f"select agent_id, {columns} from agent_now", ()):
        for role, one in zip(ROLES, series, strict=True):
            if one:
                headline[role][agent] = one
    intervals = fetch(view.catalogue, "select id, interval_us from agent where interval_us > 0", ())
    words = tuple(
        SeriesWords(metric, labels, unit, SeriesKind(kind), source) for metric, labels, unit, kind, source in places
    )
    return SeriesNamesResult(
        request,
        np.array(ids, np.int64),
        np.array(agents, np.int64),
        np.array(told, np.int64),
        words,
        headline,
        dict(intervals),
    )
