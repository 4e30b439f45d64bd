"""Messages that come all the time, while something else is tried."""

import threading
from typing import Self

from models.domain.connection import parse_url
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.poll import until
from tests.helpers.recording import Recording, payload_of


class Live:
    """Publishes at QoS 1 as long as it is open, on a thread of its own; `sent` counts."""

    def __init__(self, url: str) -> None:
        connection, _ = parse_url(url)
        self._publisher = BulkPublisher(connection, None, "live")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.sent = 0

    def _run(self) -> None:
        while not self._ended.wait(0.02):
            numbers = range(self.sent, self.sent + 10)
            self._publisher.send(
                [Outgoing(b"agents/live/log", b'{"level":"info","message":"%d"}' % n) for n in numbers], 1
            )
            self.sent += 10
            self._publisher.poll()
        assert self._publisher.drain(30)
        self._publisher.close()

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: self.sent > 100, "it publishes")
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def check(self, recording: Recording) -> None:
        """All of it is there, once, in its order."""
        until(lambda: len(self._held(recording)) >= self.sent, "all live messages are stored", 120)
        assert self._held(recording) == [b'{"level":"info","message":"%d"}' % n for n in range(self.sent)]

    @staticmethod
    def _held(recording: Recording) -> list[bytes]:
        return [payload_of(row) for row in recording.export("messages") if row["topic"] == "agents/live/log"]
