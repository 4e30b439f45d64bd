"""One canary for every way in which a secret comes, the real processes with a window on a screen, a crash and a mistake; then
everything that they left is searched."""

import contextlib
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from app.diagnostics.report import Asked, gather, save_report
from app.settings import Settings, SettingsFile
from models.domain.connection import Secret, parse_url
from models.domain.control import Link, RecorderState
from models.domain.problems import EnvironmentProblem
from models.domain.queries import CancelToken
from models.storage.export.run import DATASETS
from models.storage.lock import read_lock
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers import keyring_file
from tests.helpers.needs import bound_to_parent
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY
from tests.helpers.secret_forms import forms, holds, leaking_files
from tests.helpers.troubled_recorder import Troubled
from tests.helpers.x11 import x_environment, x_server

pytestmark = [pytest.mark.services, pytest.mark.long]

PASSWORD = 'canary-pass-7f3a"\\é%'  # of the broker: in the environment first, in the keyring then
TRIED = "canary-tried-91c4"  # given by hand over the control channel, wrong
IN_ADDRESS = "canary-address-55d0"  # typed where it does not belong
CANARIES = (PASSWORD, TRIED, IN_ADDRESS)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """What is searched: workspace, logs, home. The keyring, the broker and the key lie beside it."""
    folder = tmp_path / "here"
    (folder / "home").mkdir(parents=True)
    return folder


@pytest.fixture
def recording(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Troubled]:
    for name, value in keyring_file.variables(tmp_path / "keyring.json").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(here / "home"))
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(here / "home" / name.lower()))
    one = Troubled(here / "workspace", "client-raises")
    yield one
    one.close()


@pytest.fixture
def window(recording: Troubled, here: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """On the recorder's workspace, once that one runs; its own words go to a file that is searched."""
    with x_server() as display, (here / "window.stderr").open("wb") as said:
        environment = {**x_environment(display), **recording.environment, "QT_QPA_PLATFORM": "xcb", "DISPLAY": display}
        command = [sys.executable, "-P", "-m", "app", "--workspace", str(recording.workspace.root)]
        one = subprocess.Popen(bound_to_parent(command), env=environment, cwd=here, stdout=said, stderr=said)
        try:
            yield one
        finally:
            one.kill()
            one.wait()
            until(lambda: not read_lock(recording.workspace).held, "the recorder ended after the last window", 60)


def ours() -> list[psutil.Process]:
    """Every process of the program that lives."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(word in ("app", "tests.helpers.troubled_recorder") for word in process.cmdline()):
                found.append(process)
    return found


def told_by_processes(but: int) -> list[str]:
    """Command lines that hold a canary; environments, too, but of the one that got it there from the user."""
    found = []
    for process in ours():
        for name in ("cmdline",) if process.pid == but else ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                content = Path(f"/proc/{process.pid}/{name}").read_bytes()
                found += [f"{name} of {process.cmdline()}" for canary in CANARIES if holds(content, canary)]
    return found


def publish(port: int) -> None:
    publisher = BulkPublisher(parse_url(f"mqtt://me@127.0.0.1:{port}")[0], Secret(PASSWORD), "publisher")
    publisher.send(
        [Outgoing(b"agents/a/metrics", b'{"cpu": 1}'), Outgoing(b"agents/a/log", b'{"message": "hello"}')], 1
    )
    assert publisher.drain(20)
    publisher.close()


def test_no_file_log_argument_export_backup_report_or_crash_tells_a_secret(
    make_broker, recording: Troubled, here: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    broker = make_broker(
        allow_anonymous=False, username="me", password=PASSWORD, tls=True, require_client_certificate=True
    )
    files = broker.certificates
    connection, _ = parse_url(f"mqtts://me@127.0.0.1:{broker.tls_port}")
    (tmp_path / "keyring.json").write_text("{}")

    # somebody types the password into the address, wrongly; it is neither kept nor repeated
    address = f"mqtts://me:{IN_ADDRESS}@127.0.0.1:{broker.tls_port}"
    code, _said = recording.run(
        "--broker", address, "--cafile", str(files.ca), "--cert", str(files.client_cert), "--key", str(files.client_key)
    )
    assert code == 5

    # the right one comes by the environment; a window looks on
    identity = ("--cafile", str(files.ca), "--cert", str(files.client_cert), "--key", str(files.client_key))
    recording.start("--broker", connection.url, *identity, variables={"MURMURSCOPE_PASSWORD": PASSWORD})
    publish(broker.tcp_port)
    recording.stored(2)
    until(recording.workspace.settings.exists, "the broker is remembered")
    window = request.getfixturevalue("window")
    log = lambda: "".join(path.read_text(errors="replace") for path in (here / "home").rglob("*.log"))  # noqa: E731
    until(lambda: window.poll() is None and any((here / "home").rglob("*.log")), "the window writes its log", 60)

    # a mistake in a thread, and a password that is tried over the control channel
    recording.strike()
    until(lambda: "trouble: client-raises" in recording.log(), "somebody asked, and it failed")
    steps: list[object] = []
    recording.client.test_connection(connection, Secret(TRIED), lambda *step: steps.append(step))
    assert not any(holds(repr(steps).encode(), canary) for canary in CANARIES)
    assert told_by_processes(but=recording.pid) == []

    # the recorder crashes; the window starts another, which has the password from the keyring
    store = f"import sys; from app.password_store import PasswordStore; from models.domain.connection import Secret; \
        PasswordStore().put({connection.url!r}, Secret(sys.stdin.read()))"
    kept = subprocess.run(
        [sys.executable, "-c", store], input=PASSWORD.encode(), env=recording.environment, cwd=REPOSITORY, check=False
    )
    assert kept.returncode == 0
    crashed = recording.pid
    assert recording.stop(signal.SIGSEGV) == -signal.SIGSEGV

    def another() -> RecorderState | None:
        with contextlib.suppress(EnvironmentProblem):
            state = recording.state
            return state if state.pid != crashed and state.link is Link.CONNECTED else None
        return None

    state = until(another, "the window started another recorder", 60)
    assert state is not None
    assert not holds(repr(state).encode(), PASSWORD)
    publish(broker.tcp_port)
    until(lambda: len(recording.export("messages")) >= 4, "it records")
    assert "Segmentation fault" in (recording.workspace.root / "recorder-before.crash").read_text()
    recording.when(lambda one: "recorder.crashed" in [told["code"] for told in one.warnings], "the crash is told")
    assert told_by_processes(but=0) == []

    # everything that leaves the program
    for dataset in DATASETS:
        for shape in ("csv", "jsonl"):
            done = recording.command("export", dataset, "--format", shape, "-o", str(here / f"{dataset}.{shape}"))
            assert done.returncode == 0, done.stderr
    assert recording.command("backup", str(here / "whole.backup")).returncode == 0
    assert recording.command("info", "--json").returncode == 0
    report = gather(Asked(recording.workspace, None, {}), CancelToken())
    save_report(here / "report.zip", report.files(with_names=True))
    with zipfile.ZipFile(here / "report.zip") as packed:
        packed.extractall(here / "report")

    assert log() or recording.log()
    assert leaking_files(here, CANARIES) == []
    key = files.client_key.read_text().splitlines()[2]
    assert leaking_files(here, (key,)) == [], "nor is the key of the certificate copied"
    assert os.environ.get("MURMURSCOPE_PASSWORD") is None
    assert forms(PASSWORD) != [PASSWORD.encode()]
    assert quote(PASSWORD) != PASSWORD
    assert SettingsFile(recording.workspace.settings).load() == Settings(
        SettingsFile(recording.workspace.settings).load().connection, embedded=False
    )
