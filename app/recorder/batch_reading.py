"""From messages to the batch that is stored: whatever goes wrong with reading, the messages themselves are in it."""

from collections.abc import Sequence

from app.recorder.broker_watch import BrokerWatch
from app.recorder.gaps import DROPPED_TOPIC, DropWatch
from app.recorder.log_file import Faults
from app.recorder.ports import Feed
from models.domain.batch import RecordBatch
from models.domain.messages import Kind, RawMessage
from models.domain.names import Names


class BatchReading:
    """Ingest thread only."""

    def __init__(self, names: Names, faults: Faults) -> None:
        self._names, self._faults = names, faults
        self.broker = BrokerWatch()  # of the feed that is read

    def name_topics(self, messages: Sequence[RawMessage]) -> bool:
        """Of topics beyond number the catalogue is asked, which may fail for a while: before anything is read of a batch, as
        nothing is read twice. Raises `EnvironmentProblem`; answers True, for whoever tries until it works."""
        for topic in {message.topic for message in messages}:
            self._names.topic(topic)
        return True

    def read(self, feed: Feed | None, drops: DropWatch, messages: Sequence[RawMessage]) -> RecordBatch:
        """What the messages hold, and what the broker says that it dropped. Of itself it tells `broker`."""
        if feed is None or not messages:
            return RecordBatch()
        try:
            batch = feed.reader.read(messages)
            batch.gaps += drops.brokers(batch, self._names.topic(DROPPED_TOPIC))
            self.broker.take(messages)
        except Exception:  # noqa: BLE001 - a mistake in reading must not cost the raw messages; it is logged and counted
            self._faults.note("reading a batch failed; it is stored raw")
            return self.raw(messages)
        return batch

    def raw(self, messages: Sequence[RawMessage]) -> RecordBatch:
        """The messages alone, with nothing read from them."""
        n = len(messages)
        topics = [self._names.topic(message.topic) for message in messages]
        return RecordBatch(messages, topics, [0] * n, [Kind.OTHER] * n, [False] * n)
