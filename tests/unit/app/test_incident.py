"""An incident is one zip that opens without the program and says no more than was recorded."""

import csv
import io
import json
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from app.incident import MOST_ROWS, Incident, write_incident
from models.domain.messages import Kind
from models.domain.problems import EnvironmentProblem
from models.domain.records import Level, LogRow
from models.storage.export.run import export
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, raw

SECOND = 1_000_000
HOSTILE = "<script>alert(1)</script>/../\u202e&"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    builder = HistoryBuilder(Workspace.at(tmp_path_factory.mktemp("incident") / "w"))
    agents = [builder.agent("planner"), builder.agent(HOSTILE)]
    segment = builder.segment()
    for n in range(2 * MOST_ROWS + 20):
        at_us, agent = T0 + n * SECOND, agents[n % 2]
        batch = builder.messages([raw("logs", b"x", at_us)], agent, Kind.LOG)
        batch.logs.append(LogRow(0, at_us, agent, Level.ERROR, None, f'row {n} <b>"bold"</b>,\nsecond line'))
        segment.write(batch)
    segment.close()
    builder.close()
    return builder.workspace


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def made(workspace: Workspace, incident: Incident, path: Path) -> zipfile.ZipFile:
    told: list[tuple[int, int]] = []
    rows = write_incident(workspace, incident, path, lambda *one: told.append(one), lambda *_: None)
    assert told[-1][0] == rows
    return zipfile.ZipFile(path)


def test_the_page_has_every_file_runs_nothing_and_fetches_nothing(workspace: Workspace, tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    picture.write_bytes(b"a picture")
    incident = Incident(T0, T0 + 3_600 * SECOND, ("planner", HOSTILE), HOSTILE, (picture,))
    archive = made(workspace, incident, tmp_path / "i.zip")
    page = Page()
    page.feed(archive.read("index.html").decode())
    assert "script" not in page.tags
    assert HOSTILE in page.text
    assert 'row 0 <b>"bold"</b>,\nsecond line' in page.text
    assert f"The first {MOST_ROWS} of {MOST_ROWS + 10}" in page.text
    names = [unquote(link) for link in page.links]
    assert sorted(names) == sorted(name for name in archive.namelist() if name != "index.html")
    assert all(".." not in Path(name).parts and not name.startswith("/") for name in archive.namelist())
    assert archive.read("pictures/1.png") == b"a picture"


def test_the_files_are_what_export_writes(workspace: Workspace, tmp_path: Path) -> None:
    archive = made(workspace, Incident(T0 + 10 * SECOND, T0 + 20 * SECOND), tmp_path / "i.zip")
    for dataset in ("logs", "messages", "presence"):
        out = io.BytesIO()
        export(workspace, dataset, out, since_us=T0 + 10 * SECOND, until_us=T0 + 20 * SECOND)
        assert archive.read(f"{dataset}.csv") == out.getvalue()
    rows = list(csv.DictReader(io.StringIO(archive.read("logs.csv").decode(), newline="")))
    assert [row["text"].split()[1] for row in rows] == [str(n) for n in range(10, 20)]


def test_texts_of_any_length_and_kind_stay_in_their_cells(tmp_path: Path) -> None:
    builder = HistoryBuilder(Workspace.at(tmp_path / "w"))
    agent = builder.agent("planner")
    texts = ["y" * 200_000, "one\u2028two\x0bthree\x1cfour\x85five", "six\r\nseven"]
    segment = builder.segment()
    for n, text in enumerate(texts):
        batch = builder.messages([raw("logs", b"x", T0 + n)], agent, Kind.LOG)
        batch.logs.append(LogRow(0, T0 + n, agent, Level.ERROR, None, text))
        segment.write(batch)
    segment.close()
    builder.close()
    far_us = 7_300_000_000 * SECOND  # later than a zip can tell
    html = made(builder.workspace, Incident(T0, far_us), tmp_path / "i.zip").read("index.html").decode()
    for text in texts:
        assert f"<td>error</td><td></td><td>{text}</td><td></td>" in html


def test_a_picture_that_cannot_be_read_is_named(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        made(workspace, Incident(T0, T0 + SECOND, (), "", (tmp_path / "no.png",)), tmp_path / "i.zip")
    assert caught.value.problem.code == "file.unusable"
    assert caught.value.problem.params["path"] == str(tmp_path / "no.png")
    assert list(tmp_path.iterdir()) == []


def test_nothing_half_is_left(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "i.zip"
    path.write_text("older")
    with pytest.raises(EnvironmentProblem) as caught:
        made(workspace, Incident(T0, T0 + SECOND, ("nobody",)), path)
    assert caught.value.problem.code == "agent.unknown"
    assert [one.name for one in tmp_path.iterdir()] == ["i.zip"]
    assert path.read_text() == "older"
    assert json.dumps(caught.value.problem.params)
