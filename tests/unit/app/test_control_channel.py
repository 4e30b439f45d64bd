import json
import os
import socket
import threading
from pathlib import Path

import pytest

from app.control_client import ControlClient
from app.control_wire import LINE_LIMIT_BYTES
from app.recorder.control_server import ControlServer
from models.domain.connection import Connection, Secret
from models.domain.control import Counters, Link, RecorderState, StepState, TestStep
from models.domain.messages import Properties
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.domain.publishing import OutgoingMessage, Published
from models.domain.recorded import ImportProgress, ImportResult, SkippedLine
from models.storage.workspace import Workspace
from tests.helpers.poll import until


class Recorder:
    """Stands for the recorder behind the channel."""

    def __init__(self):
        self.asked = []
        self.error = None
        self.slices, self.imported, self.ended = 3, 0, False

    def state(self):
        return RecorderState(
            os.getpid(), "1", 1, "cli", 5, Link.WAITING, 7, "mqtt://h:1883", problem={"code": "broker.name", "params": {"host": "h"}},
            counters=Counters(received=3, stored=2), disk_days=1.5,
        )  # fmt: skip

    def submit(self, commands):
        if self.error:
            raise self.error
        self.asked.append(commands)

    def secret(self, secret):
        self.asked.append(secret)

    def test_connection(self, connection, secret, report):
        self.asked.append((connection, secret))
        report(TestStep.NAME, StepState.PASSED, None)
        report(TestStep.TCP, StepState.FAILED, Problem("broker.refused-port", {"host": "h", "port": 1}))

    def publish(self, message):
        if self.error:
            raise self.error
        self.asked.append(message)
        return Published(0x10, "No matching subscribers", 12_345)

    def import_files(self, paths, on_progress, *, again, make_room):
        self.asked.append((paths, again, make_room))
        try:
            for done in range(self.slices):
                on_progress(ImportProgress(done, self.slices, 10 * done, 1))
                self.imported = done + 1
        finally:
            self.ended = True
        if self.error:
            raise self.error
        first = SkippedLine("/a.jsonl", 7, "cut off")
        return ImportResult(5, 2, 3, 2, 1, {"json": 1}, 1, first, 10, 20)

    def wake(self, *, anew=False):
        self.asked.append("wake anew" if anew else "wake")

    def stop(self):
        self.asked.append("stop")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return Workspace.at(tmp_path / "workspace")


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def server(workspace, recorder, clock):
    one = ControlServer(workspace.socket, recorder, clock, lambda: None)
    one.start()
    yield one
    one.close()


def raw(workspace):
    one = socket.socket(socket.AF_UNIX)
    one.connect(str(workspace.socket))
    return one


def ask(connected, data):
    connected.sendall(data)
    return json.loads(connected.makefile("rb").readline())


def code_of(call):
    with pytest.raises(EnvironmentProblem) as raised:
        call()
    return raised.value.problem.code


@pytest.mark.usefixtures("server")
def test_every_verb_arrives_and_state_comes_back_whole(workspace, recorder):
    with ControlClient(workspace) as client:
        assert client.hello("cli") == recorder.state()
        client.submit([{"do": "agent.note", "agent": "a", "note": "ż"}])
        client.secret("hush")
        client.wake()
        client.wake(anew=True)
        client.stop()
    until(lambda: "stop" in recorder.asked, "it is asked to stop")
    assert recorder.asked == [
        [{"do": "agent.note", "agent": "a", "note": "ż"}],
        Secret("hush"),
        "wake",
        "wake anew",
        "stop",
    ]


@pytest.mark.usefixtures("server")
def test_connection_test_streams_its_steps(workspace, recorder):
    steps = []
    wanted = Connection(host="h", filters=("x/#",))
    ControlClient(workspace).test_connection(wanted, Secret("hush"), lambda *step: steps.append(step))
    assert recorder.asked == [(wanted, Secret("hush"))]
    assert steps == [
        (TestStep.NAME, StepState.PASSED, None),
        (TestStep.TCP, StepState.FAILED, Problem("broker.refused-port", {"host": "h", "port": 1})),
    ]


@pytest.mark.usefixtures("server")
def test_an_import_streams_its_progress_and_ends_with_what_came(workspace, recorder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = []
    with ControlClient(workspace) as client:
        result = client.import_files([Path("/a.jsonl"), Path("b.jsonl")], seen.append, again=True, make_room=True)
        assert recorder.asked == [([Path("/a.jsonl"), tmp_path / "b.jsonl"], True, True)]
        assert seen == [ImportProgress(0, 3, 0, 1), ImportProgress(1, 3, 10, 1), ImportProgress(2, 3, 20, 1)]
        first = SkippedLine("/a.jsonl", 7, "cut off")
        assert result == ImportResult(5, 2, 3, 2, 1, {"json": 1}, 1, first, 10, 20)
        recorder.error = trouble("import.known", path="/a.jsonl", time="x")
        assert code_of(lambda: client.import_files([Path("/a.jsonl")], seen.append)) == "import.known"


@pytest.mark.usefixtures("server")
def test_whoever_hangs_up_cancels_an_import(workspace, recorder):
    recorder.slices = 10_000_000

    def stop(_progress):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        ControlClient(workspace).import_files([Path("/a.jsonl")], stop)
    until(lambda: recorder.ended, "it goes on no longer")
    assert recorder.imported < recorder.slices


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("files", [None, "a", [], [5], ["a\0"]])
def test_an_import_without_files_is_refused(workspace, recorder, files):
    with raw(workspace) as connected:
        answer = ask(connected, json.dumps({"id": 1, "verb": "import", "files": files}).encode() + b"\n")
    assert (answer["ok"], answer["problem"]["code"], recorder.asked) == (False, "recorder.request", [])


@pytest.mark.usefixtures("server")
def test_a_message_to_publish_arrives_whole_and_so_does_the_answer(workspace, recorder):
    properties = Properties("text/plain", "reply/to", b"\x00\xff", 5, (("k", "ż"), ("k", "")))
    message = OutgoingMessage("a/ż", bytes(range(256)), 0, retain=True, properties=properties)
    with ControlClient(workspace) as client:
        assert client.publish(message) == Published(0x10, "No matching subscribers", 12_345)
        assert recorder.asked == [message]
        recorder.error = trouble("publish.refused", host="h", detail="Not authorized")
        assert code_of(lambda: client.publish(message)) == "publish.refused"


@pytest.mark.usefixtures("server")
def test_a_problem_of_a_command_comes_back_as_itself(workspace, recorder):
    recorder.error = trouble("agent.unknown", agent="x")
    with ControlClient(workspace) as client:
        assert code_of(lambda: client.submit([])) == "agent.unknown"
        recorder.error = None
        client.submit([])  # the line still works


@pytest.mark.usefixtures("server")
def test_a_mistake_of_ours_is_answered_and_logged(workspace, recorder, caplog):
    recorder.error = ZeroDivisionError("hidden")
    with ControlClient(workspace) as client:
        assert code_of(lambda: client.submit([])) == "recorder.request"
        assert client.hello("cli").pid == os.getpid()
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.usefixtures("server")
def test_a_request_that_fails_on_a_file_is_answered_and_no_hang_up(workspace, recorder, caplog):
    recorder.error = PermissionError(13, "no")
    with ControlClient(workspace) as client:
        assert code_of(lambda: client.submit([])) == "recorder.request"
    assert "PermissionError" in caplog.text


def test_a_listener_without_free_files_is_tried_again(workspace, server, recorder, monkeypatch):
    monkeypatch.setattr("app.recorder.control_server.ACCEPT_SLICE_S", 0.01)
    listener, failed = server._listener, []

    class Exhausted:
        def accept(self):
            failed.append(1)
            raise OSError(24, "Too many open files")

    server._listener = Exhausted()
    until(lambda: len(failed) > 2, "it failed and tried again")
    server._listener = listener
    with ControlClient(workspace) as client:
        assert client.hello("cli") == recorder.state()


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b"[1]\n",
        b"[" * 50_000 + b"\n",
        b'{"id": 7, "verb": "fly"}\n',
        b'{"id": 7}\n',
        b'{"id": 7, "verb": "submit", "commands": [1]}\n',
        b'{"id": 7, "verb": "hello", "protocol": 1, "role": "ghost"}\n',
        b'{"id": 7, "verb": "secret", "password": 5}\n',
        b'{"id": 7, "verb": "publish"}\n',
        b'{"id": 7, "verb": "publish", "message": {"topic": 5}}\n',
        b'{"id": 7, "verb": "publish", "message": {"topic": "t", "payload": "not base64!"}}\n',
        b'{"id": 7, "verb": "test_connection", "connection": {"port": "x"}}\n',
    ],
)
def test_a_bad_request_is_refused_and_the_line_goes_on(workspace, line):
    with raw(workspace) as connected:
        answer = ask(connected, line)
        assert answer["ok"] is False
        assert answer["problem"]["code"] == "recorder.request"
        assert ask(connected, b'{"id": 8, "verb": "wake"}\n') == {"id": 8, "ok": True}


@pytest.mark.usefixtures("server")
def test_another_protocol_version_is_refused_but_may_stop_us(workspace, recorder):
    with raw(workspace) as connected:
        answer = ask(connected, b'{"id": 1, "verb": "hello", "protocol": 99, "role": "window"}\n')
        assert answer["problem"]["code"] == "recorder.version"
        assert ask(connected, b'{"id": 2, "verb": "stop"}\n')["ok"]
    until(lambda: recorder.asked == ["stop"], "it is asked to stop")


def test_a_stop_is_answered_before_the_end_hangs_up(workspace, recorder, server):
    ended = threading.Event()

    def end_at_once():
        threading.Thread(target=server.close).start()
        ended.wait(1)  # what the answer would have to wait for

    recorder.stop = end_at_once
    with ControlClient(workspace) as client:
        client.stop()
        ended.set()


@pytest.mark.usefixtures("server")
def test_a_line_without_end_is_cut_off(workspace):
    with raw(workspace) as connected:
        answer = ask(connected, b"x" * (LINE_LIMIT_BYTES + 1))
        assert answer["problem"]["code"] == "recorder.request"
        with pytest.raises(OSError):
            while True:
                connected.sendall(b"x" * 65536)


@pytest.mark.usefixtures("server")
def test_many_clients_at_once(workspace, recorder):
    failed = []

    def talk():
        try:
            with ControlClient(workspace) as client:
                for _ in range(20):
                    assert client.hello("window") == recorder.state()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=talk) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failed


def test_windows_are_missed_after_the_last_one_left(workspace, server, clock):
    assert server.without_window_us() == (False, 0)
    clock.advance(5)
    assert server.without_window_us() == (False, 5)
    with ControlClient(workspace) as command, ControlClient(workspace) as window:
        command.hello("cli")
        assert server.without_window_us() == (False, 5)
        window.hello("window")
        clock.advance(7)
        assert server.without_window_us() == (True, 0)
        window.close()
        until(lambda: server.without_window_us() == (True, 0) and not server_has_window(server), "the window is gone")
        clock.advance(3)
        assert server.without_window_us() == (True, 3)


def server_has_window(server):
    return any(one.role == "window" for one in server._clients)


def test_the_socket_is_ours_alone_and_goes_with_us(workspace, recorder, clock):
    workspace.socket.parent.mkdir(mode=0o700)
    workspace.socket.write_text("left behind")
    server = ControlServer(workspace.socket, recorder, clock, lambda: None)
    server.start()
    try:
        assert workspace.socket.stat().st_mode & 0o777 == 0o600
        assert workspace.socket.parent.stat().st_mode & 0o777 == 0o700
    finally:
        server.close()
    assert not workspace.socket.exists()


def test_a_folder_that_others_may_write_is_refused(workspace, recorder, clock):
    workspace.socket.parent.mkdir()
    workspace.socket.parent.chmod(0o777)
    server = ControlServer(workspace.socket, recorder, clock, lambda: None)
    assert code_of(server.start) == "file.unusable"


def test_without_a_recorder_the_client_says_so(workspace):
    client = ControlClient(workspace)
    assert code_of(lambda: client.hello("cli")) == "recorder.absent"
    workspace.socket.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(workspace.socket))
    assert code_of(lambda: client.hello("cli")) == "recorder.absent"


def test_a_recorder_that_does_not_answer_is_told(workspace):
    workspace.socket.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(workspace.socket))
        deaf.listen(1)
        with ControlClient(workspace, answer_limit_s=0.05) as client:
            assert code_of(lambda: client.hello("cli")) == "recorder.silent"


def test_a_recorder_that_hangs_up_is_told_and_met_again(workspace, recorder, clock):
    first = ControlServer(workspace.socket, recorder, clock, lambda: None)
    first.start()
    with ControlClient(workspace) as client:
        client.hello("cli")
        first.close()
        assert code_of(lambda: client.hello("cli")) == "recorder.died"
        second = ControlServer(workspace.socket, recorder, clock, lambda: None)
        second.start()
        try:
            assert client.hello("cli") == recorder.state()
        finally:
            second.close()
