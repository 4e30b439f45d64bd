"""What is dragged within and between windows of ours: series by name, or a panel."""

import json
from collections.abc import Iterable

from PySide6.QtCore import QMimeData

from models.domain.layouts.layout import Plotted

SERIES = "application/x-murmurscope-series"
PANEL = "application/x-murmurscope-panel"
MOST_DRAGGED = 1_000


def series_mime(plotted: Iterable[Plotted]) -> QMimeData:
    """Series by name; as text, they are readable."""
    some = list(plotted)[:MOST_DRAGGED]
    mime = QMimeData()
    rows = [[one.agent, one.metric, one.labels, one.role] for one in some]
    mime.setData(SERIES, json.dumps(rows).encode())
    mime.setText("\n".join(f"{one.agent} {one.metric or one.role} {one.labels}".strip() for one in some))
    return mime


def dragged_series(mime: QMimeData) -> list[Plotted]:
    """What `series_mime` put in; nothing where it is something else."""
    try:
        rows = json.loads(bytes(mime.data(SERIES).data()))
    except ValueError:
        return []
    good = [row for row in rows if isinstance(row, list) and len(row) == 4 and all(isinstance(one, str) for one in row)]
    return [Plotted(*row) for row in good[:MOST_DRAGGED] if bool(row[1]) != bool(row[3])]


def panel_mime(id_: int) -> QMimeData:
    """A panel of this window."""
    mime = QMimeData()
    mime.setData(PANEL, str(id_).encode())
    return mime


def dragged_panel(mime: QMimeData) -> int:
    """0: no panel."""
    text = bytes(mime.data(PANEL).data())
    return int(text) if text.isdigit() else 0
