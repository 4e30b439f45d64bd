"""An incident is one zip that opens without the program and says no more than was recorded."""

import contextlib
import csv
import io
import json
import signal
import struct
import sys
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from app import incident_pictures
from app.cli.main import run
from app.cli.parser import parse
from app.incident import MOST_ROWS, Incident, write_incident
from app.incident_pictures import Picture, take_pictures
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
    incident = Incident(
        T0, T0 + 3_600 * SECOND, ("planner", HOSTILE), HOSTILE, (Picture(picture, HOSTILE),), (HOSTILE,)
    )
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
        made(workspace, Incident(T0, T0 + SECOND, (), "", (Picture(tmp_path / "no.png", "x"),)), tmp_path / "i.zip")
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


def test_pictures_are_of_the_fleet_and_of_agents_up_to_a_number_that_is_told(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_pictures, "MOST_AGENTS", 2)
    taken = take_pictures(workspace, T0, T0 + 600 * SECOND, ("nobody", "planner", HOSTILE), tmp_path)
    assert [one.caption for one in taken.pictures] == ["Fleet", "Agent planner"]
    assert taken.remarks == ["Agent nobody: no picture could be taken.", "Pictures are of the first 2 of 3 agents."]
    assert [one.partition(".")[0] for one in taken.reasons] == [
        "Agent nobody: There is no agent named nobody in this workspace"
    ]
    for one in taken.pictures:
        head = one.path.read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", head[16:])
        assert 1_000 < width < 1_440, "the screen without the rail"
        assert height < 1_000


def test_where_no_window_can_be_made_it_is_told_and_the_rest_is_there(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no Qt here')"]
    monkeypatch.setattr(incident_pictures, "own_command", lambda *_: command)
    path = tmp_path / "i.zip"
    words = ["incident", "--workspace", str(workspace.root), "--from", "2026-01-01T00:00Z", "--to", "2027-01-01T00:00Z"]
    with undisturbed_signals():
        assert run(parse([*words, "--agent", "planner", "-o", str(path)])) == 0
    assert "no picture of Fleet: no Qt here" in capsys.readouterr().err
    archive = zipfile.ZipFile(path)
    assert "Fleet: no picture could be taken." in archive.read("index.html").decode()
    assert not [name for name in archive.namelist() if name.startswith("pictures/")]
    assert len(archive.read("agents/planner/logs.csv").splitlines()) > MOST_ROWS


@contextlib.contextmanager
def undisturbed_signals() -> Iterator[None]:
    """A command of one process sets handlers of its own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
