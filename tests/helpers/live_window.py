"""The real window in this process, offscreen, with the real recorder as the process that it starts."""

import contextlib
from collections.abc import Callable, Iterator

import psutil
from PySide6.QtWidgets import QApplication

from app.control_client import ControlClient
from app.window.composition import Composition, WindowOptions
from models.domain.problems import EnvironmentProblem
from models.storage.workspace import Workspace
from tests.helpers.poll import until


@contextlib.contextmanager
def live_windows(qapp: QApplication, workspace: Workspace) -> Iterator[Callable[[], Composition]]:
    """A function that opens a window on the workspace; windows and recorder end with the context."""
    opened: list[Composition] = []
    recorders: set[int] = set()

    def open_one() -> Composition:
        one = Composition(qapp, workspace, WindowOptions(theme="light"))
        opened.append(one)
        one.window.show()
        one.fill()
        one.link.state_changed.connect(lambda state: recorders.add(state.pid) if state is not None else None)
        return one

    yield open_one
    for one in opened:
        one.close()
        one.window.close()
        one.window.deleteLater()
    # it would end by itself some seconds after the last window, as test_window_process sees
    with contextlib.suppress(EnvironmentProblem), ControlClient(workspace) as client:
        client.stop()
    until(lambda: not any(runs(pid) for pid in recorders), "the recorder ended with the window", 40)


def runs(pid: int) -> bool:
    """Is there such a process? One that ended is reaped."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            process.wait(0)
        return process.is_running()
    except psutil.NoSuchProcess:
        return False
