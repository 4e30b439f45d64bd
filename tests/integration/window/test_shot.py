import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from models.domain.clock import SystemClock
from models.domain.presence_words import Presence
from models.storage.workspace import Workspace
from tests.helpers.history_builder import HistoryBuilder, raw

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two agents, one online and one offline, heard just now."""
    root = tmp_path_factory.mktemp("shot") / "w"
    builder = HistoryBuilder(Workspace.at(root))
    segment = builder.segment()
    now_us = SystemClock().wall_us()
    for name, presence in (("crawler-1", Presence.ONLINE), ("crawler-2", Presence.OFFLINE)):
        agent = builder.agent(name)
        segment.write(builder.messages([raw(f"agents/{name}/status", at_us=now_us)], agent))
        builder.update_agent_now(agent, presence=int(presence), last_seen_us=now_us, since_us=now_us, cause="status")
    segment.close()
    builder.close()
    return root


def shot(folder: Path, workspace: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    runtime = folder / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_STATE_HOME": str(folder / "state"),
        "QT_QPA_PLATFORM": "offscreen",
    }
    command = [sys.executable, "-P", "-m", "app", "shot", *arguments, "--workspace", str(workspace)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=folder, timeout=120, check=False
    )


def colours(image: QImage) -> set[int]:
    return {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}


def test_paints_the_fleet_in_the_size_scale_and_theme_asked_for_and_changes_nothing(tmp_path, workspace) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in workspace.rglob("*") if path.suffix not in (".db-shm", ".db-wal")
    }
    pictures = {}
    for theme, scale in (("light", 1), ("dark", 2)):
        file = tmp_path / f"{theme}.png"
        done = shot(
            tmp_path, workspace, "fleet", "--theme", theme, "--size", "900x560", "--scale", str(scale), "-o", str(file)
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        image = QImage(str(file))
        assert (image.width(), image.height()) == (900 * scale, 560 * scale)
        pictures[theme] = image
    assert pictures["light"].pixelColor(890, 250).lightness() > 200
    assert pictures["dark"].pixelColor(1780, 500).lightness() < 60
    for image in pictures.values():
        assert len(colours(image)) > 20  # text and icons, not an empty frame
    after = {
        path: path.stat().st_mtime_ns for path in workspace.rglob("*") if path.suffix not in (".db-shm", ".db-wal")
    }
    assert after == before
    assert not list(tmp_path.glob(".*"))


def test_the_connection_dialog_can_be_taken_too(tmp_path, workspace) -> None:
    done = shot(tmp_path, workspace, "connection", "--theme", "light", "-o", "c.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(colours(QImage(str(tmp_path / "c.png")))) > 20


def test_the_fleet_with_an_agent_chosen_has_it_at_the_side(tmp_path, workspace) -> None:
    for name, more in (("with", ("--agent", "crawler-2")), ("without", ())):
        done = shot(tmp_path, workspace, "fleet", *more, "--theme", "light", "-o", f"{name}.png")
        assert (done.returncode, done.stderr) == (0, "")
    assert QImage(str(tmp_path / "with.png")) != QImage(str(tmp_path / "without.png"))


def test_paints_an_agent_with_its_plots(tmp_path, workspace) -> None:
    done = shot(tmp_path, workspace, "agent", "--agent", "crawler-2", "--theme", "light", "--from", "1h", "-o", "a.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(colours(QImage(str(tmp_path / "a.png")))) > 20


@pytest.mark.parametrize("screen", ["logs", "data"])
def test_paints_the_lists(tmp_path, workspace, screen: str) -> None:
    done = shot(tmp_path, workspace, screen, "--theme", "dark", "-o", "l.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(colours(QImage(str(tmp_path / "l.png")))) > 20


def test_paints_the_messages(tmp_path, workspace) -> None:
    done = shot(tmp_path, workspace, "messages", "--agent", "crawler-2", "-o", str(tmp_path / "messages.png"))
    assert (done.returncode, done.stderr) == (0, "")
    assert len(colours(QImage(str(tmp_path / "messages.png")))) > 8


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("alerts",), 2, "does not exist yet"),
        (("fleet", "--size", "big"), 2, "--size"),
        (("fleet", "--scale", "0"), 2, "--scale"),
        (("fleet", "--from", "soon"), 2, "not a time"),
        (("fleet", "--to", "5m"), 2, "--from"),
        (("agent",), 2, "--agent"),
        (("agent", "--agent", "nobody"), 2, "nobody"),
    ],
)
def test_says_in_a_sentence_what_it_cannot_do(tmp_path, workspace, arguments, code: int, says: str) -> None:
    done = shot(tmp_path, workspace, *arguments, "-o", "x.png")
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "x.png").exists()


def test_a_folder_without_workspace_is_refused_and_stays_empty(tmp_path) -> None:
    done = shot(tmp_path, tmp_path / "none", "fleet", "-o", "x.png")
    assert done.returncode == 6
    assert not (tmp_path / "none").exists()


def test_a_file_that_cannot_be_written_is_told(tmp_path, workspace) -> None:
    done = shot(tmp_path, workspace, "fleet", "-o", "no/such/folder.png")
    assert done.returncode == 1
    assert "folder.png" in done.stderr
