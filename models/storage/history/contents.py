"""Which files and which names a workspace holds, for a report about it. Works while a recorder runs."""

from typing import Any, NamedTuple

from models.storage.export.cells import TimeText
from models.storage.history.store_view import read_catalogue
from models.storage.segments.open_segment import fetch
from models.storage.workspace import Workspace

_SEGMENTS = """select id, capture_id, state, layout, first_us, last_us, messages, samples, logs, tasks, bytes, unreadable,
    dropped, duplicates from segment order by id"""


class Names(NamedTuple):
    """What could tell an outsider whose agents these are."""

    agents: tuple[str, ...]  # ids, names and groups
    hosts: tuple[str, ...]
    topics: tuple[str, ...]


def segments_held(workspace: Workspace) -> list[dict[str, Any]]:
    """Every segment that the catalogue knows, with the size of its file now (None: there is no file). Raises the problems of
    opening a workspace."""
    catalogue = read_catalogue(workspace)
    try:
        time, found = TimeText(), []
        for row in fetch(catalogue, _SEGMENTS):
            id_, capture, state, layout, first, last, *counts = row
            path = workspace.segment(id_)
            names = ("messages", "samples", "logs", "tasks", "bytes", "unreadable", "dropped", "duplicates")
            found.append(
                {
                    "id": id_, "capture": capture, "state": state, "layout": layout,
                    "first": time(first) if first else None, "last": time(last) if last else None,
                    **dict(zip(names, counts, strict=True)),
                    "file_bytes": path.stat().st_size if path.exists() else None,
                }
            )  # fmt: skip
        return found
    finally:
        catalogue.close()


def names_held(workspace: Workspace) -> Names:
    """Of agents and topics, each once. Raises the problems of opening a workspace."""
    catalogue = read_catalogue(workspace)
    try:
        rows = fetch(catalogue, "select name, own_name, given_name, own_group, given_group, host from agent")
        topics = [bytes(name).decode("utf-8", "replace") for (name,) in fetch(catalogue, "select name from topic")]
    finally:
        catalogue.close()
    agents = {name: None for *names, _host in rows for name in names if name}
    hosts = {host: None for *_, host in rows if host}
    return Names(tuple(agents), tuple(hosts), tuple(dict.fromkeys(topics)))
