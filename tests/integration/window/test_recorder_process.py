import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from app.window.recorder_process import RecorderProcess, end_recorder
from tests.helpers.poll import until

WAITS = "import signal; signal.pause()"


@pytest.fixture
def start() -> Iterator[Callable[[str], RecorderProcess]]:
    started: list[RecorderProcess] = []

    def start_one(program: str) -> RecorderProcess:
        started.append(RecorderProcess([sys.executable, "-u", "-c", program], dict(os.environ)))
        return started[-1]

    yield start_one
    for one in started:
        if one._process.poll() is None:
            os.kill(one.pid, signal.SIGKILL)
            until(one.ended, "it is gone")


def test_knows_when_it_is_ready_and_runs_in_a_session_of_its_own(start) -> None:
    one = start(f"print('hello'); print('[1]'); print('{{\"ready\": true}}'); {WAITS}")
    until(lambda: one.ready, "it said that it is ready")
    assert one.ended() is None
    assert os.getsid(one.pid) == one.pid


def test_one_that_says_nothing_is_not_ready(start) -> None:
    one = start("raise SystemExit(6)")
    assert until(one.ended, "it ended") == (6, "exit code 6")
    assert not one.ready


def test_its_last_words_say_why_it_ended(start, caplog) -> None:
    one = start("import sys; print('x' * 9000, file=sys.stderr); sys.exit('murmurscope: no luck – today')")
    assert until(one.ended, "it ended") == (1, "no luck – today")
    assert "no luck" in caplog.text


def test_a_killed_one_tells_the_signal(start) -> None:
    one = start(WAITS)
    os.kill(one.pid, signal.SIGKILL)
    assert until(one.ended, "it ended") == (-9, "Killed")


def test_much_on_stdout_does_not_hold_it_up(start) -> None:
    one = start("print('x\\n' * 500_000)")
    assert until(one.ended, "it ended")[0] == 0


def test_a_frozen_process_is_ended_but_no_other_that_has_its_pid() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS]) as frozen:
        began = psutil.Process(frozen.pid).create_time()
        assert not end_recorder(frozen.pid, began - 60)
        assert frozen.poll() is None
        frozen.send_signal(signal.SIGSTOP)
        assert end_recorder(frozen.pid, began)
        assert not psutil.pid_exists(frozen.pid)
    assert end_recorder(frozen.pid, began)  # gone already
