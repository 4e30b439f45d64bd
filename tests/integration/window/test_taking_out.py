"""Pictures and samples leave the window as files: asked for once, whole, with what they are and of when."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.window.asking import Asking
from app.window.composition import Composition, WindowOptions
from app.window.pictures_at_hand import keep_pictures, pictures_at_hand
from app.window.places import AGENT, EXPLORE, FLEET, FLOW, TASKS
from app.window.recorder_watch import RecorderWatch, Seen
from models.domain.clock import SystemClock
from models.domain.layouts.layout import Layout, Panel, Plotted, Side
from models.storage.export.run import export
from models.storage.workspace import Workspace
from tests.helpers.history_builder import HistoryBuilder, raw
from widgets.data.jobs import JobState
from widgets.explore import explore_screen
from widgets.explore.panel_out import panel_picture
from widgets.plots import plot_data

SECOND = 1_000_000
ROWS = 400


class Answers(Asking):
    """What a user would say."""

    def __init__(self) -> None:
        self.path = ""
        self.asked: list[str] = []

    def new_file(self, title: str, proposal: str) -> str:
        self.asked.append(proposal)
        return self.path


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers()


@pytest.fixture
def one(
    qapp: QApplication, tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> Iterator[Composition]:
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(RecorderWatch, "look", lambda _: Seen(None, None, 0.01))
    workspace = Workspace.at(tmp_path / "w")
    builder, now_us = HistoryBuilder(workspace), SystemClock().wall_us()
    agent, other = builder.agent("crawler-1"), builder.agent("crawler-2")
    series = [
        builder.series(agent, "queue.depth", '{"q":"a"}', "1"),
        builder.series(agent, "odd"),
        builder.series(other, "odd"),
    ]
    for id_ in (agent, other):
        builder.update_agent_now(id_, last_seen_us=now_us)
    segment = builder.segment()
    for n in range(ROWS):
        at_us = now_us - (ROWS - n) * SECOND
        batch = builder.messages([raw("agents/x/metrics", at_us=at_us)], agent)
        batch.add_samples(0, at_us, series, [n / 3, float(n), float(-n)])
        segment.write(batch)
    segment.close()
    builder.close()
    window = Composition(qapp, workspace, WindowOptions(theme="light", live=False))
    window.window.resize(1_200, 700)
    window.window.show()
    window.fill()
    window.data._asking = answers
    window.window.time_range.zoom(now_us - 300 * SECOND, now_us - 100 * SECOND)
    window.window.show_screen(EXPLORE)
    plotted = (Plotted("crawler-1", "queue.depth", '{"q":"a"}'), Plotted("crawler-2", "odd"))
    window.screens.explore.screen.show_layout(Layout(Panel(1, title="Depth / of: *queues*", plotted=plotted)))
    qtbot.waitUntil(lambda: window.idle and len(window.screens.explore.screen.panel.curves) == 2)
    yield window
    window.close()
    window.window.close()
    window.window.deleteLater()


def test_a_panel_is_kept_as_a_picture_with_its_name_and_time(
    one: Composition, answers: Answers, tmp_path: Path, qtbot: QtBot
) -> None:
    answers.path = str(tmp_path / "there.png")
    Path(answers.path).write_bytes(b"older")
    one._actions["explore.save-picture"].trigger()
    qtbot.waitUntil(lambda: answers.path in one.window.notices._notices)
    picture, panel = QImage(answers.path), one.screens.explore.screen.panel
    assert picture.width() == panel.width() * panel.devicePixelRatio()
    name = Path(answers.asked[0]).name
    assert name.startswith("Depth-of-queues-20"), "what a file system would take amiss is not proposed"
    assert name.endswith(".png")
    assert one.window.notices._notices[answers.path].action == "Open folder"
    one._actions["explore.copy-picture"].trigger()
    now = one.window.time_range.current()
    assert QGuiApplication.clipboard().image().size() == panel_picture(panel, now, one.themes.theme).size()
    one._actions["explore.save-picture"].trigger()
    assert answers.asked[1] == str(tmp_path / name), "the same folder is proposed again"
    assert one.save_layout()["folder"] == str(tmp_path)


def test_a_picture_that_cannot_be_written_is_a_sentence(one: Composition, answers: Answers, qtbot: QtBot) -> None:
    answers.path = "/proc/nowhere/x.png"
    one._actions["explore.save-picture"].trigger()
    qtbot.waitUntil(lambda: answers.path in one.window.notices._notices)
    assert "/proc/nowhere/x.png cannot be used" in one.window.notices._notices[answers.path].sentence


def test_a_screen_is_kept_as_a_picture(one: Composition, answers: Answers, tmp_path: Path, qtbot: QtBot) -> None:
    answers.path = str(tmp_path / "screen.png")
    one.window.show_screen(FLEET)
    one._actions["file.picture"].trigger()
    qtbot.waitUntil(lambda: answers.path in one.window.notices._notices)
    assert QImage(answers.path).width() == one.window.shown_widget.width()
    assert Path(answers.asked[0]).name.startswith("Fleet-20")


def test_the_samples_of_a_panel_are_what_is_stored_of_the_time_that_is_seen(
    one: Composition, answers: Answers, tmp_path: Path, qtbot: QtBot
) -> None:
    answers.path = str(tmp_path / "data.csv")
    one._actions["explore.save-data"].trigger()
    qtbot.waitUntil(lambda: one.data._queue.jobs[0].state.ended, timeout=30_000)
    assert one.data._queue.jobs[0].state is JobState.DONE
    now, whole = one.window.time_range.current(), io.BytesIO()
    export(one._workspace, "samples", whole, since_us=now.since_us, until_us=now.until_us)
    expected = [
        row for row in csv.reader(io.StringIO(whole.getvalue().decode(), newline=""))
        if row[2:4] in (["agent", "metric"], ["crawler-1", "queue.depth"], ["crawler-2", "odd"])
    ]  # fmt: skip
    assert len(expected) == 401
    assert list(csv.reader(io.StringIO(Path(answers.path).read_text(), newline=""))) == expected
    assert "400 rows are saved" in one.window.notices._notices[answers.path].sentence


def test_the_clipboard_takes_the_newest_points_and_says_so(one: Composition, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = one.screens.explore.screen
    one._actions["explore.copy-data"].trigger()
    rows = QGuiApplication.clipboard().text().splitlines()
    assert len(rows) == 401
    assert screen._told.text().startswith("400 points")
    for module in (plot_data, explore_screen):
        monkeypatch.setattr(module, "MOST_COPIED", 10)
    one._actions["explore.copy-data"].trigger()
    assert QGuiApplication.clipboard().text().splitlines() == [rows[0], *rows[-10:]]
    assert screen._told.text().startswith("The newest 10 of 400 points")
    screen.panel.toggle(1)
    one._actions["explore.copy-data"].trigger()
    assert screen._told.text().startswith("The newest 10 of 200 points"), "what is clicked off is not drawn"


def test_one_that_is_cancelled_leaves_the_older_file(
    one: Composition, answers: Answers, tmp_path: Path, qtbot: QtBot
) -> None:
    answers.path = str(tmp_path / "data.csv")
    Path(answers.path).write_text("older")
    one._actions["explore.save-data"].trigger()
    notice = one.window.notices._notices[answers.path]
    assert notice.action == "Cancel"
    notice.on_action()
    qtbot.waitUntil(lambda: one.data._queue.jobs[0].state.ended, timeout=30_000)
    assert one.data._queue.jobs[0].state is JobState.CANCELLED
    assert answers.path not in one.window.notices._notices
    assert Path(answers.path).read_text() == "older"
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_what_the_recorder_counts_is_no_sample(one: Composition, answers: Answers, qtbot: QtBot) -> None:
    screen = one.screens.explore.screen
    screen.show_layout(Layout(Panel(2, plotted=(Plotted("crawler-1", role="messages"),))))
    qtbot.waitUntil(lambda: one.idle and len(screen.panel.curves) == 1)
    one._actions["explore.save-data"].trigger()
    assert answers.asked == []
    assert "no series of samples" in screen._told.text()


def test_every_plot_offers_both(one: Composition, answers: Answers, tmp_path: Path, qtbot: QtBot) -> None:
    one.screens.open_agent(1)
    assert one.window.shown_screen == AGENT
    qtbot.waitUntil(lambda: one.idle and one.screens.agent.facts.result is not None)
    plots = one.screens.agent.plots
    odd = next(info.id for info in one.screens.agent.facts.result.series if info.key.metric == "odd")
    plots.show_extra([odd])
    qtbot.waitUntil(lambda: one.idle and bool(plots.extra[0].shapes))
    menu = QMenu()
    plots.extra[0].menu_wanted.emit(menu)
    entries = {action.text(): action for action in menu.actions()}
    answers.path = str(tmp_path / "plot.csv")
    entries["Save data as CSV…"].trigger()
    qtbot.waitUntil(lambda: one.data._queue.jobs[0].state.ended, timeout=30_000)
    rows = list(csv.DictReader(io.StringIO(Path(answers.path).read_text(), newline="")))
    assert {(row["agent"], row["metric"]) for row in rows} == {("crawler-1", "odd")}
    answers.path = str(tmp_path / "plot.png")
    entries["Save picture…"].trigger()
    qtbot.waitUntil(lambda: answers.path in one.window.notices._notices)
    assert Path(answers.asked[-1]).name.startswith("odd-crawler-1-20")
    menu.deleteLater()


def test_an_incident_has_a_picture_of_every_panel_that_is_shown(one: Composition, tmp_path: Path) -> None:
    screen = one.screens.explore.screen
    screen.commands.split(Side.RIGHT)
    pictures = pictures_at_hand(one.window, one.screens.explore, one.themes)
    assert [name for name, _ in pictures] == ["Window", "Depth / of: *queues*", "Empty panel"]
    kept = [Path(path) for path in keep_pictures(pictures, tmp_path / "kept")]
    assert [path.stem for path in kept] == ["Window", "Depth   of: *queues*", "Empty panel"]
    assert not any(QImage(str(path)).isNull() for path in kept)
    one.window.show_screen(FLEET)
    assert [name for name, _ in pictures_at_hand(one.window, one.screens.explore, one.themes)] == ["Window"], (
        "a hidden panel is of another time"
    )


@pytest.mark.parametrize(("place", "action", "head"), [
    (TASKS, "task.save", "task,parent,agent"), (FLOW, "flow.save", "time,from,to"),
])  # fmt: skip
def test_what_tasks_and_flow_show_is_written_as_the_dataset_behind_it(
    one: Composition, answers: Answers, tmp_path: Path, qtbot: QtBot, place: str, action: str, head: str
) -> None:
    assert not one._actions[action].isEnabled()
    one.window.show_screen(place)
    assert one._actions[action].isEnabled()
    answers.path = str(tmp_path / "there.csv")
    one._actions[action].trigger()
    qtbot.waitUntil(lambda: [job.state for job in one.data._queue.jobs] == [JobState.DONE], timeout=20_000)
    now, [job] = one.window.time_range.current(), one.data._queue.jobs
    assert Path(answers.path).read_text(encoding="utf-8").startswith(head)
    assert (job.order.since_us, job.order.until_us) == (now.since_us, now.until_us)
