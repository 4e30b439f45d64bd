"""A password is nowhere but in memory and in what the user wrote himself."""

import io
import json
import signal
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import keyring
import psutil
import pytest

from app.password_store import PasswordStore
from app.settings import Settings, SettingsFile
from models.domain.connection import Secret, parse_url
from models.domain.control import Link
from models.storage.export.run import DATASETS, export
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers import keyring_file
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY
from tests.helpers.recording import Recording
from tests.helpers.secret_forms import forms
from tests.helpers.session_bus import keyring_on_a_bus

pytestmark = pytest.mark.services

CANARY = 'canary-7f3a"\\é%'


def leaks(root, secret=CANARY, but=()):
    """Files under a folder that hold it in any form."""
    return [
        str(file.relative_to(root))
        for file in root.rglob("*")
        if file.is_file() and file.name not in but and any(form in file.read_bytes() for form in forms(secret))
    ]


def proc(pid, name):
    return Path(f"/proc/{pid}/{name}").read_bytes()


def told_by(recording, secret=CANARY):
    """Where the recorder's own words, its command line and those of its children tell it."""
    state = repr(recording.state).encode()
    places = {"state": state, "command line": proc(recording.pid, "cmdline")}
    for child in recording.children():
        places[f"command line of {child.name()}"] = proc(child.pid, "cmdline")
        places[f"environment of {child.name()}"] = proc(child.pid, "environ")
    return [place for place, found in places.items() if any(form in found for form in forms(secret))]


def told_by_exports(recording, secret=CANARY):
    """Datasets that hold it, in either format."""
    found = []
    for dataset in DATASETS:
        for shape in ("csv", "jsonl"):
            written = io.BytesIO()
            export(recording.workspace, dataset, written, format=shape)
            found += [dataset for form in forms(secret) if form in written.getvalue()]
    return found


@pytest.fixture
def recording(tmp_path):
    one = Recording(tmp_path / "here" / "workspace")
    yield one
    one.close()


@pytest.fixture(autouse=True)
def place(tmp_path):
    (tmp_path / "here").mkdir()


@pytest.fixture
def guarded(make_broker):
    return make_broker(allow_anonymous=False, username="me", password=CANARY)


def url_of(broker):
    return f"mqtt://me@127.0.0.1:{broker.port}"


def publish(broker):
    publisher = BulkPublisher(parse_url(url_of(broker))[0], Secret(CANARY), "publisher")
    publisher.send([Outgoing(b"agents/a/metrics", b'{"cpu": 1}')], 1)
    assert publisher.drain(20)
    publisher.close()


@pytest.mark.parametrize("way", ["environment", "file", "address", "channel"])
def test_a_right_password_is_nowhere(guarded, recording, tmp_path, way):
    secret_file = tmp_path / "secret"
    secret_file.write_text(CANARY + "\n")
    url = url_of(guarded)
    if way == "environment":
        recording.start("--broker", url, variables={"MURMURSCOPE_PASSWORD": CANARY})
    elif way == "file":
        recording.start("--broker", url, "--password-file", str(secret_file))
    elif way == "address":
        recording.start("--broker", url.replace("me@", f"me:{quote(CANARY, safe='')}@"))
    else:
        recording.spawn("--broker", url, "--with-window")
        recording.when(lambda state: state.link is Link.REFUSED, "it is refused without a password")
        recording.client.secret(CANARY)
        recording.connected()
    publish(guarded)
    recording.stored(1)
    until(recording.workspace.settings.exists, "the broker is remembered")
    allowed = ["command line"] if way == "address" else []  # the user himself wrote it there, and is warned
    assert told_by(recording) == allowed
    if way == "address":
        assert "everybody on this computer can read a password in an address" in recording.errors.read_text()
    assert recording.stop() == 0
    assert told_by_exports(recording) == []
    assert leaks(tmp_path / "here") == []


@pytest.mark.parametrize("way", ["environment", "address"])
def test_a_wrong_password_is_nowhere(make_broker, recording, tmp_path, way):
    broker = make_broker(allow_anonymous=False, username="me", password="right")
    url, variables = url_of(broker), {"MURMURSCOPE_PASSWORD": CANARY}
    if way == "address":
        url, variables = url.replace("me@", f"me:{quote(CANARY, safe='')}@"), {}
    code, said = recording.run("--broker", url, variables=variables)
    assert code == 5
    assert not any(form.decode("utf-8", "replace") in said for form in forms(CANARY)[:-1])
    assert leaks(tmp_path / "here") == []


@pytest.mark.parametrize(
    "address", ["mqtt://me:{}@127.0.0.1:99999", "ftp://me:{}@127.0.0.1", "mqtt://me:{}@", "mqtt://me:{}@[::1"]
)
def test_a_mistyped_address_is_told_without_its_password(recording, tmp_path, address):
    code, said = recording.run("--broker", address.format("canary-plain"))
    assert code == 2
    assert "canary" not in said
    assert leaks(tmp_path / "here", "canary-plain") == []


def test_a_crash_writes_down_where_it_was_and_no_password(guarded, recording, tmp_path):
    recording.start("--broker", url_of(guarded), variables={"MURMURSCOPE_PASSWORD": CANARY})
    publish(guarded)
    recording.stored(1)
    assert recording.stop(signal.SIGSEGV) == -signal.SIGSEGV
    crash = (recording.workspace.root / "recorder.crash").read_text()
    assert "Segmentation fault" in crash
    assert "ingest.py" in crash
    assert leaks(tmp_path / "here") == []
    recording.start("--broker", url_of(guarded), variables={"MURMURSCOPE_PASSWORD": CANARY})
    state = recording.when(lambda one: one.warnings, "the crash is told")
    (told,) = [one["params"] for one in state.warnings if one["code"] == "recorder.crashed"]
    assert Path(told["path"]).read_text() == crash
    assert recording.stop() == 0
    assert "The recorder before this one crashed at" in recording.errors.read_text()
    state = recording.start("--broker", url_of(guarded), variables={"MURMURSCOPE_PASSWORD": CANARY}).state
    assert state.warnings == (), "told once"
    assert recording.stop() == 0
    assert [row["payload"] for row in recording.export("messages") if row["agent"] == "a"] == ['{"cpu": 1}']


def test_a_password_in_the_settings_is_refused_and_not_repeated(guarded, recording, tmp_path):
    recording.workspace.root.mkdir()
    text = f'[connection]\nurl = "mqtt://me:{quote(CANARY, safe="")}@127.0.0.1:{guarded.port}"\n'
    recording.workspace.settings.write_text(text)
    recording.spawn("--with-window")
    state = recording.when(lambda one: one.problem is not None, "it is told")
    assert state.problem["code"] == "settings.unreadable"
    assert told_by(recording) == []
    assert recording.stop() == 0
    assert leaks(tmp_path / "here", but=("settings.toml",)) == []
    assert recording.workspace.settings.read_text() == text


def test_a_settings_file_broken_at_its_password_is_told_without_it(recording, tmp_path):
    recording.workspace.root.mkdir()
    recording.workspace.settings.write_text(
        '[connection]\nurl = "mqtt://me:canary-plain@h:1883\npassword = canary-plain'
    )
    recording.spawn("--with-window")
    recording.when(lambda one: one.problem is not None, "it is told")
    assert told_by(recording, "canary-plain") == []
    assert recording.stop() == 0
    assert leaks(tmp_path / "here", "canary-plain", but=("settings.toml",)) == []


def test_trying_a_connection_leaves_no_trace(guarded, recording, tmp_path):
    recording.start("--broker", url_of(guarded), variables={"MURMURSCOPE_PASSWORD": CANARY})
    steps = []
    other = "canary-plain"
    recording.client.test_connection(parse_url(url_of(guarded))[0], Secret(other), lambda *step: steps.append(step))
    assert any(problem is not None for _, _, problem in steps)
    assert other not in repr(steps)
    assert told_by(recording, other) == []
    assert recording.stop() == 0
    assert leaks(tmp_path / "here", other) == leaks(tmp_path / "here") == []


# ------------------------------------------------------------ kept in a keyring


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A keyring that several processes share; away from what is searched for leaks."""
    for name, value in keyring_file.variables(tmp_path / "keyring.json").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)  # what was found before
    return tmp_path / "keyring.json"


def test_a_kept_password_is_used_by_a_recorder_alone_and_is_nowhere_else(guarded, recording, kept, tmp_path):
    connection = parse_url(url_of(guarded))[0]
    PasswordStore().put(connection.url, Secret(CANARY))
    SettingsFile(recording.workspace.settings).save(Settings(connection, embedded=False))
    recording.environment.update(keyring_file.variables(kept))
    recording.start()
    publish(guarded)
    recording.stored(1)
    assert told_by(recording) == []
    assert recording.stop() == 0
    assert told_by_exports(recording) == []
    assert leaks(tmp_path / "here") == []


def test_a_locked_keyring_is_told_and_asked_again_once_it_is_unlocked(guarded, recording, kept, tmp_path):
    kept.write_text('{"locked": true}')
    recording.spawn("--broker", url_of(guarded), variables=keyring_file.variables(kept))
    state = recording.when(lambda one: one.link is Link.REFUSED, "it is refused without the password")
    assert [one["code"] for one in state.warnings] == ["keyring.unread"]
    assert recording.process.poll() is None, "the password may still come"
    kept.write_text(json.dumps({f"murmurscope {url_of(guarded)}": CANARY}))
    recording.client.wake()
    recording.connected()
    assert told_by(recording) == []
    assert recording.stop() == 0
    assert leaks(tmp_path / "here") == []


def test_a_wrong_kept_password_ends_as_any_wrong_one(guarded, recording, kept, tmp_path):
    kept.write_text(json.dumps({f"murmurscope {url_of(guarded)}": "canary-plain"}))
    code, said = recording.run("--broker", url_of(guarded), variables=keyring_file.variables(kept))
    assert code == 5
    assert "canary" not in said
    assert leaks(tmp_path / "here", "canary-plain") == []


def test_the_real_keyring_of_a_desktop_keeps_it_and_no_file_tells_it(guarded, recording, tmp_path):
    home = tmp_path / "here" / "home"
    with keyring_on_a_bus(home) as variables:
        recording.environment.update(variables)
        store = (
            "import sys; from app.password_store import PasswordStore; from models.domain.connection import Secret; "
        )
        put = f"{store} PasswordStore().put(sys.argv[1], Secret(sys.stdin.read()))"
        done = subprocess.run(
            [sys.executable, "-c", put, url_of(guarded)],
            input=CANARY, text=True, env=recording.environment, cwd=REPOSITORY, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        recording.start("--broker", url_of(guarded))
        assert told_by(recording) == []
        assert recording.stop() == 0
        assert list(home.rglob("*.keyring")), "the desktop keeps it, encrypted"
        assert leaks(tmp_path / "here") == []
        remove = f"{store} PasswordStore().remove(sys.argv[1]); assert PasswordStore().get(sys.argv[1]) is None"
        gone = subprocess.run(
            [sys.executable, "-c", remove, url_of(guarded)],
            env=recording.environment, cwd=REPOSITORY, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert gone.returncode == 0, gone.stderr


def test_the_broker_of_our_own_keeps_its_password_in_one_private_file(recording, tmp_path):
    recording.start()
    until(lambda: len(recording.children()) >= 2, "broker and agent run")
    file = recording.workspace.root / "broker" / "password"
    password = file.read_text().strip()
    assert len(password) >= 20
    assert [place for place in told_by(recording, password) if not place.startswith("environment")] == []
    recording.stored(1)
    for path in [recording.workspace.root, *recording.workspace.root.rglob("*")]:
        if not stat.S_ISLNK(path.lstat().st_mode):
            assert path.lstat().st_mode & 0o077 == 0, path
    for child in recording.children():
        assert child.username() == psutil.Process().username()
    assert recording.stop() == 0
    assert told_by_exports(recording, password) == []
    assert leaks(tmp_path / "here", password) == ["workspace/broker/password"]
