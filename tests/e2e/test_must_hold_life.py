"""How a recorder begins and ends: nothing that was acknowledged is lost, nobody else's session is taken."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time

import psutil
import pytest

from models.domain.connection import parse_url
from models.storage.identity import client_id, read_workspace_id
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY
from tests.helpers.recording import Recording

pytestmark = pytest.mark.services

PER_TURN, TURN_S = 100, 0.02  # 5,000 a second


class Flow:
    """Publishes numbers at QoS 1, 5,000 a second, in a thread of its own until told to stop."""

    def __init__(self, broker):
        self.sent = 0
        self.acknowledged = []
        connection, _ = parse_url(broker.url)
        self._publisher = BulkPublisher(connection, None, "flow", on_acknowledged=self.acknowledged.extend)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flow")

    def _run(self):
        next_s = time.monotonic()
        while not self._stopping.is_set():
            numbers = range(self.sent, self.sent + PER_TURN)
            self._publisher.send([Outgoing(b"flow/x", b"%d" % n) for n in numbers], 1, list(numbers))
            self.sent += PER_TURN
            next_s += TURN_S
            while (left_s := next_s - time.monotonic()) > 0:
                self._publisher.poll(left_s)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()
        drained = self._publisher.drain(30)
        self._publisher.close()
        assert drained


def numbers(recording):
    return [int(row["payload"]) for row in recording.export("messages") if row["topic"] == "flow/x"]


LONG = pytest.mark.long  # the short run has kills elsewhere


@pytest.mark.parametrize(
    "how", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=LONG), pytest.param(signal.SIGKILL, marks=LONG)]
)
def test_an_end_in_full_flow_loses_nothing_that_was_acknowledged(make_broker, recording, how):
    broker = make_broker(max_queued_messages=200_000)
    recording.start("--broker", broker.url)
    with Flow(broker) as flow:
        recording.stored(3_000)
        began_s = time.monotonic()
        code = recording.stop(how)
        assert time.monotonic() - began_s <= 5, "it ends soon"
        assert code == {signal.SIGTERM: 0, signal.SIGINT: 130, signal.SIGKILL: -9}[how]
        at_end = flow.sent
        until(lambda: flow.sent > at_end + 6_000, "it flows on without us")
        recording.start("--broker", broker.url)
        until(lambda: flow.sent > at_end + 8_000, "it flows on with us")
    until(lambda: len(set(numbers(recording))) >= flow.sent, "all is stored", slice_s=0.5)
    assert recording.stop() == 0
    found = numbers(recording)
    assert set(found) >= set(flow.acknowledged)
    assert found == sorted(found)
    assert len(found) == len(set(found))
    between, since_then = [row for row in recording.export("gaps") if row["cause"] == "not-recording"]
    assert between["since"] < between["until"] < since_then["since"]
    assert since_then["until"] == ""


def test_started_by_a_window_it_ends_after_the_last_window(broker, recording):
    recording.start("--broker", broker.url, "--with-window")
    recording.client.hello("window")
    process = recording.process
    recording.process = None
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)  # an open window is reason enough
        recording.client.close()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert not recording.workspace.socket.exists()


@pytest.mark.long
def test_started_in_the_foreground_it_does_not_care_for_windows(broker, recording):
    recording.start("--broker", broker.url)
    recording.client.hello("window")
    recording.client.close()
    with pytest.raises(subprocess.TimeoutExpired):
        recording.process.wait(7)  # a window's recorder would have ended after 5
    recording.connected()
    assert recording.stop() == 0


def test_a_second_recorder_ends_with_six_and_leaves_the_first_alone(broker, recording, tmp_path):
    recording.start("--broker", broker.url)
    second = Recording(tmp_path / "workspace")
    code, said = second.run("--broker", broker.url)
    assert code == 6
    assert f"process {recording.pid}" in said
    state = recording.state
    assert state.pid == recording.pid
    with Flow(broker):
        recording.stored(state.counters.stored + 500)
    assert recording.stop() == 0
    assert broker.log.count(f"as {name_of(recording)}") == 1


def name_of(recording):
    return client_id(recording.workspace, read_workspace_id(recording.workspace))


def test_two_workspaces_and_a_copied_one_share_a_broker_in_peace(make_broker, recording, tmp_path):
    broker = make_broker(max_queued_messages=100_000)
    recording.start("--broker", broker.url)
    recording.stop()
    shutil.copytree(recording.workspace.root, tmp_path / "copy")
    shutil.copytree(recording.workspace.root, tmp_path / "other place" / "workspace")
    places = (tmp_path / "second", tmp_path / "copy", tmp_path / "other place" / "workspace")
    all_of_them = [recording, *(Recording(place, recording) for place in places)]
    try:
        for one in all_of_them:
            one.start("--broker", broker.url)
        assert len({name_of(one) for one in all_of_them}) == len(all_of_them)
        with Flow(broker) as flow:
            until(lambda: flow.sent >= 5_000, "enough is sent")
        for one in all_of_them:
            one.stored(flow.sent)
            assert one.connected().warnings == ()
            assert one.stop() == 0
            assert numbers(one) == list(range(flow.sent))
    finally:
        for one in all_of_them:
            one.close()


def test_nobody_who_reads_its_output_is_no_reason_to_end(broker, recording):
    reading, writing = os.pipe()
    process = subprocess.Popen(
        recording.argv("record", "--broker", broker.url), stdout=writing, stderr=writing, env=recording.environment,
        cwd=REPOSITORY,
    )  # fmt: skip
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as stream:
            assert json.loads(stream.readline())["ready"]
        with Flow(broker):
            recording.stored(500)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def test_the_folder_of_the_control_channel_gone_is_no_reason_to_end(broker, recording):
    recording.start("--broker", broker.url)
    recording.workspace.socket.unlink()
    with Flow(broker) as flow:
        until(lambda: flow.sent >= 1_000, "enough is sent")
    until(lambda: len(numbers(recording)) == flow.sent, "all is stored")
    assert recording.stop() == 0


def test_ends_of_children_are_waited_for(recording):
    """With a broker of its own: its end ends the broker and the agent of this computer, too."""
    recording.start()
    until(lambda: len(recording.children()) >= 2, "broker and agent run")
    children = recording.children()
    assert recording.stop() == 0
    assert not [one for one in children if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
