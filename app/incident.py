"""An incident as one file for somebody who has not got the program: what was recorded of a stretch of time and of some agents, pictures,
and a page that opens in any browser.

The zip holds the datasets as `export` writes them (all agents' together, or a folder for each), `pictures/`, and `index.html`, which runs
no script and fetches nothing. Secrets were hidden before anything was stored.
"""

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import islice
from pathlib import Path
from string import Template
from typing import IO, BinaryIO, cast
from urllib.parse import quote

from app.incident_pictures import Picture
from models.domain.problems import trouble
from models.domain.time_range import moment_text
from models.storage.export.run import export
from models.storage.whole_file import whole_file
from models.storage.workspace import Workspace

PARTS = (
    "agents",
    "presence",
    "samples",
    "logs",
    "messages",
    "tasks",
    "interactions",
    "connections",
    "gaps",
    "annotations",
)
MOST_BYTES = 1024 * 1024
MOST_ROWS = 300
"""So many rows of a dataset stand on the page; all are in its file."""
_SHOWN = {
    "agents": ("agent", "name", "presence", "cause", "as_of"),
    "presence": ("since", "agent", "presence", "condition", "cause", "until"),
    "logs": ("time", "agent", "level", "logger", "text", "error"),
    "tasks": ("submitted", "agent", "type", "state", "error"),
    "gaps": ("since", "until", "agent", "cause", "count"),
    "annotations": ("since", "until", "agent", "text", "tags"),
}
_PAGE = Template("""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
img { max-width: 100%; border: 1px solid #8885; } figure { margin: 1.2rem 0; } figcaption { margin: .3rem 0; font-weight: 600; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { text-align: left; padding: .2rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; overflow-wrap: anywhere; }
td { white-space: pre-wrap; } .error, .fatal, .offline { color: #c0392b; } .warn, .late { color: #9a6a00; }
</style></head><body>
<h1>$title</h1>
$body
</body></html>
""")

OnProgress = Callable[[int, int], None]
"""Rows and bytes written so far."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What to put together. Times are arrivals, µs UTC; `agents` are ids as exports use them, none: everybody."""

    since_us: int
    until_us: int
    agents: tuple[str, ...] = ()
    title: str = ""
    pictures: tuple[Picture, ...] = ()
    remarks: tuple[str, ...] = ()
    """Sentences that stand on the page."""


def write_incident(
    workspace: Workspace, incident: Incident, path: Path, progress: OnProgress, damaged: Callable[[int, str], None]
) -> int:
    """Writes the file whole or not at all, replacing an older one, and answers how many rows are in it.

    Raises `EnvironmentProblem` workspace.*, store.*, agent.unknown, file.unusable, file.full.
    """
    with whole_file(path, overwrite=True) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        writer = _Writer(workspace, incident, archive, progress, damaged)
        pictures = [writer.picture(number, one) for number, one in enumerate(incident.pictures, 1)]
        sections = [writer.section(agent) for agent in incident.agents or ("",)]
        title = incident.title or "Incident"
        span = f"{moment_text(incident.since_us)} to {moment_text(incident.until_us)} (UTC, by arrival)"
        whose = ", ".join(incident.agents) or "all agents"
        remarks = [f"<p>{escape(one)}</p>" for one in incident.remarks]
        body = [f"<p>{escape(span)} · {escape(whose)}</p>", *remarks, *pictures, *sections]
        archive.writestr("index.html", _PAGE.substitute(title=escape(title), body="\n".join(body)))
        return writer.rows


class _Writer:
    def __init__(
        self, workspace: Workspace, incident: Incident, archive: zipfile.ZipFile, progress: OnProgress,
        damaged: Callable[[int, str], None],
    ) -> None:  # fmt: skip
        self._workspace, self._incident, self._archive = workspace, incident, archive
        self._progress, self._damaged = progress, damaged
        self.rows = self._bytes = 0

    def picture(self, number: int, picture: Picture) -> str:
        name, path, caption = f"pictures/{number}.png", picture.path, escape(picture.caption)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise trouble("file.unusable", path=str(path), detail=error.strerror or str(error)) from error
        self._archive.writestr(self._entry(name), data)
        return f'<figure><figcaption>{caption}</figcaption><img src="{name}" alt="{caption}"></figure>'

    def section(self, agent: str) -> str:
        """Everything of one agent ("": of everybody), and what stands of it on the page."""
        folder = f"agents/{_file_name(agent)}/" if agent else ""
        found = [f"<h2>{escape(agent)}</h2>"] if agent else []
        for dataset in PARTS:
            name = f"{folder}{dataset}.csv"
            rows, text = self._dataset(dataset, agent, name)
            link = f'<a href="{quote(name)}">{escape(name)}</a>'
            found.append(f"<h3>{dataset.capitalize()}</h3><p>Rows: {rows:,} in {link}</p>")
            if rows and dataset in _SHOWN:
                found.append(self._table(text, _SHOWN[dataset], rows))
        return "\n".join(found)

    def _dataset(self, dataset: str, agent: str, name: str) -> tuple[int, str]:
        begun_rows, begun_bytes = self.rows, self._bytes

        def told(rows: int, size: int) -> None:
            self.rows, self._bytes = begun_rows + rows, begun_bytes + size
            self._progress(self.rows, self._bytes)

        with self._archive.open(self._entry(name), "w", force_zip64=True) as file:
            out = _Beginning(file, MOST_BYTES if dataset in _SHOWN else 0)
            rows = export(
                self._workspace, dataset, cast("BinaryIO", out), since_us=self._incident.since_us,
                until_us=self._incident.until_us, agent=agent, progress=told, damaged=self._damaged,
            )  # fmt: skip
        self.rows = begun_rows + rows
        return rows, out.text()

    def _entry(self, name: str) -> zipfile.ZipInfo:
        """Of the day of the incident; the format knows those of 1980 to 2107."""
        moment = datetime.fromtimestamp(self._incident.until_us / 1e6, UTC)
        moment = min(max(moment, datetime(1980, 1, 1, tzinfo=UTC)), datetime(2107, 12, 31, tzinfo=UTC))
        entry = zipfile.ZipInfo(name, moment.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        return entry

    @staticmethod
    def _table(text: str, columns: Sequence[str], rows: int) -> str:
        head = "".join(f"<th>{escape(column)}</th>" for column in columns)
        table, shown = [f"<table><tr>{head}</tr>"], 0
        csv.field_size_limit(max(csv.field_size_limit(), MOST_BYTES))
        for row in islice(csv.DictReader(io.StringIO(text, newline="")), MOST_ROWS):
            shown += 1
            look = row.get("level") or row.get("presence") or ""
            cells = "".join(f"<td>{escape(row[column] or '')}</td>" for column in columns)
            table.append(f'<tr class="{escape(look)}">{cells}</tr>')
        table.append("</table>")
        if rows > shown:
            table.append(f"<p>The first {shown} of {rows:,}.</p>")
        return "\n".join(table)


class _Beginning:
    """Passes on what is written and keeps the beginning of it."""

    def __init__(self, out: IO[bytes], most: int) -> None:
        self._out, self._most = out, most
        self._kept = bytearray()

    def write(self, data: bytes) -> int:
        if len(self._kept) < self._most:
            self._kept += data[: self._most - len(self._kept)]
        return self._out.write(data)

    def text(self) -> str:
        """Whole records alone."""
        text = self._kept.decode(errors="replace")
        if len(self._kept) >= self._most:
            text = text[: text.rfind("\r\n") + 2]  # a quoted cell has bare line feeds
        return text


def _file_name(agent: str) -> str:
    """One level of a path whatever the id holds, readable where it can be."""
    return quote(agent, safe=" ()[]{}@+=,;!~") if agent.strip(".") else f"%2E{agent[1:]}"
