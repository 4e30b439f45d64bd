"""What every test gets: Qt without a screen, guards against leftovers, the broker and the clock."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before the first import of Qt; e2e tests give their programs another one
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # nobody's own keyring is asked

import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, settings
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.helpers.clock import FakeClock
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.needs import services_required
from tests.helpers.node import install
from tests.helpers.poll import until

LEFTOVER_LIMIT_S = 3.0
# how long examples take to make and to try says how busy the machine is, and nothing about us
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def _threads() -> set[threading.Thread]:
    """Threads that keep a program alive or a connection open. Daemon threads of libraries are their own affair."""
    return {
        one
        for one in threading.enumerate()
        if one is not threading.main_thread() and (not one.daemon or one.name.startswith("paho-mqtt-client"))
    }


def _children() -> set[psutil.Process]:
    found = set()
    for child in psutil.Process().children(recursive=True):
        try:
            helper = any("multiprocessing.resource_tracker" in word for word in child.cmdline())
            if child.status() != psutil.STATUS_ZOMBIE and not helper:
                found.add(child)
        except psutil.NoSuchProcess:
            continue
    return found


def _leftovers(threads: set[threading.Thread], children: set[psutil.Process]) -> list[str]:
    """Threads and processes that were not there before, as text."""
    new_children = [f"process {child.pid} {child.name()}" for child in _children() - children if child.is_running()]
    return [f"thread {one.name}" for one in _threads() - threads] + new_children


@pytest.fixture
def qtbot(qtbot: QtBot) -> QtBot:
    """Widgets live as long as their test: the plug-in refers to them weakly, and still paints them after the test's last line,
    when a garbage collection amid the painting would delete what is being painted."""
    kept: list[QWidget] = []
    add = qtbot.addWidget

    def keep(widget: QWidget, **options: Any) -> None:
        kept.append(widget)
        add(widget, **options)

    qtbot.addWidget = keep  # type: ignore[method-assign]
    return qtbot


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread or a process of its own running."""
    threads, children = _threads(), _children()
    yield
    try:
        until(lambda: not _leftovers(threads, children), "nothing is left behind", LEFTOVER_LIMIT_S)
        left = []
    except AssertionError:
        left = _leftovers(threads, children)
    for child in _children() - children:
        child.kill()  # the next test must not pay for this one
    if left:
        pytest.fail("the test left behind: " + ", ".join(left), pytrace=False)


@pytest.fixture(autouse=True)
def popups_closed() -> Iterator[None]:
    """Menus that a test opened close with it. Where two stay open and one is deleted, in the middle of some later test, Qt gives
    the keyboard to the other, and the offscreen platform warns that it cannot."""
    yield
    while (popup := QApplication.activePopupWidget()) is not None:
        popup.hide()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that moves only when told."""
    return FakeClock()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A running broker without passwords, shared by the tests of a module: use topics of your own."""
    with Mosquitto(tmp_path_factory.mktemp("broker")) as shared:
        yield shared


@pytest.fixture
def fast_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, for tests that open stores thousands of times and wait for no disk; else an ordinary one."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.fixture
def make_broker(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """A function that starts a broker with the options of `Mosquitto`, ended with the test."""
    started: list[Mosquitto] = []

    def make(**options: object) -> Mosquitto:
        one = Mosquitto(tmp_path / f"broker-{len(started)}", **options)  # type: ignore[arg-type]
        started.append(one)
        return one.start()

    yield make
    for one in started:
        one.kill()


@pytest.fixture(scope="session")
def node_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of the Node example."""
    return install(tmp_path_factory.mktemp("node"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test logged goes from its worker to the one that reports as UTF-8, which lone surrogates are not."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


_ran = 0


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    global _ran  # noqa: PLW0603 - pytest hands over no state of ours
    _ran += report.when == "call" and not report.skipped


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In continuous integration a run in which every test was skipped is no success."""
    if services_required() and exitstatus == pytest.ExitCode.OK and not _ran and not session.config.option.collectonly:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
