"""Which series there are, of all agents: a quarter of a million in one answer."""

from typing import Any

import numpy as np

from models.domain.headline import ROLES
from models.domain.names import SeriesKind
from models.domain.queries import CancelToken
from models.domain.series_names import SeriesNamesRequest, SeriesNamesResult, SeriesWords
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import fetch

_ALIKE = (
    "select metric, labels, unit, kind, source, group_concat(id), group_concat(agent_id) from series where id > ? "
    "group by metric, labels, unit, kind, source order by metric, labels, unit, kind, source"
)
"""A row for what agents tell alike: SQLite puts a quarter of a million together beside the window, Python would hold it up."""


def answer_series_names(view: StoreView, request: SeriesNamesRequest, token: CancelToken) -> SeriesNamesResult:
    """Those that the catalogue knows; a new one is there within about a second. Raises `Cancelled`."""
    token.check()
    rows: list[Any] = fetch(view.catalogue, _ALIKE, (request.after,))
    token.check()
    words = tuple(
        SeriesWords(metric, labels, unit, SeriesKind(kind), source) for metric, labels, unit, kind, source, _, _ in rows
    )
    ids, agents = (np.fromstring(",".join([row[column] for row in rows]), np.int64, sep=",") for column in (5, 6))
    told = np.repeat(np.arange(len(rows)), [row[5].count(",") + 1 for row in rows])
    order = np.lexsort((told, agents))
    headline: dict[str, dict[int, int]] = {role: {} for role in ROLES}
    columns = ", ".join(f"{role}_series" for role in ROLES)
    for agent, *series in fetch(view.catalogue, f"select agent_id, {columns} from agent_now", ()):
        for role, one in zip(ROLES, series, strict=True):
            if one:
                headline[role][agent] = one
    intervals = fetch(view.catalogue, "select id, interval_us from agent where interval_us > 0", ())
    return SeriesNamesResult(request, ids[order], agents[order], told[order], words, headline, dict(intervals))
