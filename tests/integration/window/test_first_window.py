import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.window.first_window import FirstWindow, raise_first_window, window_socket
from models.storage.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return Workspace.at(tmp_path / "w")


@pytest.fixture
def first(qapp: object, workspace: Workspace) -> Iterator[FirstWindow]:
    one = FirstWindow(workspace)
    yield one
    one.close()


def test_a_second_start_raises_the_first_window(first: FirstWindow, workspace: Workspace, qtbot) -> None:
    assert not raise_first_window(workspace)
    assert first.listen()
    answers: list[bool] = []
    with qtbot.waitSignal(first.raise_requested):
        asking = threading.Thread(target=lambda: answers.append(raise_first_window(workspace)))
        asking.start()
    qtbot.waitUntil(lambda: answers == [True])
    asking.join()


def test_a_window_of_another_workspace_is_another_matter(first: FirstWindow, tmp_path: Path) -> None:
    assert first.listen()
    assert not raise_first_window(Workspace.at(tmp_path / "other"))


def test_the_place_of_a_window_that_crashed_is_taken(first: FirstWindow, workspace: Workspace) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as crashed:
        crashed.bind(str(window_socket(workspace)))
    assert not raise_first_window(workspace)
    assert first.listen()


def test_a_second_window_that_was_wanted_leaves_the_first_its_place(
    first: FirstWindow, workspace: Workspace, qtbot
) -> None:
    assert first.listen()
    second = FirstWindow(workspace)
    assert not second.listen()
    second.close()
    assert window_socket(workspace).exists()


def test_nonsense_raises_nothing(first: FirstWindow, workspace: Workspace, qtbot) -> None:
    assert first.listen()
    raised: list[None] = []
    first.raise_requested.connect(lambda: raised.append(None))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.connect(str(window_socket(workspace)))
        asking.sendall(b"lower\n")
        asking.setblocking(False)
        hung_up: list[bytes] = []

        def read() -> bool:
            try:
                hung_up.append(asking.recv(10))
            except BlockingIOError:
                return False
            return True

        qtbot.waitUntil(read)
    assert hung_up == [b""]
    assert raised == []
