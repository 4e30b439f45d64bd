"""What the reporter does while its broker is away or slow: it stays, and lines wait in their files."""

import os

from app.reporter.reporter import ROOM_FOR_FIGURES, Reporter, ReporterOptions
from models.domain.connection import Connection

NOWHERE = Connection(host="127.0.0.1", port=1)


class FullAgent:
    def __init__(self, room):
        self.room = room
        self.told = []

    def line(self, _file, line):
        self.told.append(line)


def test_a_process_that_cannot_be_shown_now_does_not_end_the_others(caplog):
    reporter = Reporter(NOWHERE, None, ReporterOptions(named={os.getpid(): "me"}))
    reporter._table.look()
    reporter._choose()
    assert reporter._agents == {}
    assert "me is not shown yet" in caplog.text


def test_lines_wait_in_their_file_while_the_queue_is_full(tmp_path):
    file = tmp_path / "a.log"
    reporter = Reporter(NOWHERE, None, ReporterOptions(files=(file,)))
    reporter._agents[""] = agent = FullAgent(ROOM_FOR_FIGURES)
    file.write_bytes(b"one\ntwo\nthree\n")
    assert reporter._publish_lines()
    assert agent.told == []
    agent.room = ROOM_FOR_FIGURES + 2
    while reporter._publish_lines():
        agent.room = ROOM_FOR_FIGURES + (2 if len(agent.told) == 2 else 1)
    assert agent.told == [b"one", b"two", b"three"]
