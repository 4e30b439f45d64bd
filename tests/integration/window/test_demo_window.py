"""A window on the demo says so, and mixes with nothing real."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel

from app.window import composition as composition_module
from app.window.composition import Composition, WindowOptions
from models.storage.workspace import Workspace


@pytest.fixture
def compose(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Composition]]:
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    made: list[Composition] = []

    def make(**options: bool) -> Composition:
        made.append(
            Composition(qapp, Workspace.at(tmp_path / "w"), WindowOptions(theme="light", live=False, **options))
        )
        made[-1].window.show()
        return made[-1]

    yield make
    for one in made:
        one.close()
        one.window.close()
        one.window.deleteLater()


def labels(one: Composition) -> list[str]:
    return [found.text() for found in one.window.findChildren(QLabel) if found.isVisible() and "Demo" in found.text()]


def test_it_is_labelled_from_the_first_paint_on_in_frame_and_title(compose) -> None:
    one = compose(demo=True)
    assert labels(one) == ["Demo – a simulated fleet"]
    assert one.window.windowTitle() == "Demo – Murmurscope"
    other = compose()
    assert labels(other) == []
    assert "Demo" not in other.window.windowTitle()


def test_connecting_to_a_broker_leaves_the_demo(compose, monkeypatch) -> None:
    started: list[tuple[str, ...]] = []
    monkeypatch.setattr(composition_module, "start_window", lambda *words: started.append(words))
    one = compose(demo=True)
    one.fill()
    one._actions["file.connect"].trigger()
    assert started == [("--connect",)], "in a window of what is real"
    assert one.connection.dialog is None


def test_a_window_that_was_started_to_connect_asks_for_the_broker(compose) -> None:
    one = compose(connect=True)
    one.fill()
    assert one.connection.dialog.isVisible()
