"""Short lives of a store for tests of what its disk does to it, and the check that nothing of them is lost."""

from typing import NamedTuple

import apsw

from models.domain.arrivals import Arrival, Source
from models.domain.batch import RecordBatch
from models.domain.messages import Origin
from models.domain.recorded import ImportedFile
from models.storage.copies.verify import verify
from models.storage.segments.open_segment import OpenSegment, Row, SegmentRow
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreLimits, StoreWriter
from mqtt.left_over import portions
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.fake_broker import PUBLISH, packet
from tests.helpers.kept_arrivals import not_whole
from tests.helpers.store import batch_of, message, rows

BATCH = 3
"""Messages in each batch; every message carries its number."""
IMPORTED = 8
SOURCE = Source("mqtt://broker", "client", version_5=False)
FILE = ImportedFile("/data/monday.jsonl", "abc", 1_000)
LIMITS = StoreLimits(segment_bytes=260_000, retention_bytes=1_600_000)
_KEPT = "SELECT id FROM segment WHERE state <> 'removed' ORDER BY id"
_REMOVED = """SELECT coalesce(sum(count) FILTER (WHERE kind = 'record'), 0), coalesce(sum(count) FILTER (WHERE kind = 'import'), 0)
    FROM gap JOIN segment ON segment.id = segment_id JOIN capture ON capture.id = capture_id WHERE cause = 'retention'"""


class Told(NamedTuple):
    """What had been answered for at one moment."""

    messages: int = 0
    imported: bool = False
    name: str = ""


def numbered(writer: StoreWriter, clock: FakeClock, first: int) -> RecordBatch:
    """Messages that carry their number, of sizes that meet page borders differently."""
    payloads = [b"%d" % (first + n) + b"." * (37 * (first + n) % 9_000) for n in range(BATCH)]
    some = [message(clock.wall_us() + n, b"t%d" % n, payloads[n], packet_id=first + n + 1) for n in range(BATCH)]
    return batch_of(writer.names, some, ["a", f"agent-{first % 7}", ""], [(0, "cpu_percent", float(first))])


def keep(writer: StoreWriter, batch: RecordBatch) -> bool:
    """In the journal, as the network thread does it before anybody stores it."""
    batch.arrived_to = writer.journal.next_number()
    packets = b"".join(
        packet(
            PUBLISH, 2, len(one.topic).to_bytes(2, "big") + one.topic + one.packet_id.to_bytes(2, "big") + one.payload
        )
        for one in batch.messages
    )
    return writer.journal.keep(SOURCE, [Arrival(batch.arrived_to, batch.messages[0].received_us, packets)])


def bring_back(writer: StoreWriter) -> None:
    """What an earlier life kept and did not come to store, batch by batch."""
    for source, arrivals in writer.journal.left_over():
        for arrival in arrivals:
            for messages, number in portions(source, [arrival], not_whole):
                batch = batch_of(writer.names, messages, ["a"] * len(messages))
                batch.arrived_to = number
                writer.commit(batch)


def bring(writer: StoreWriter) -> None:
    """Import a file."""
    run = writer.begin_import([FILE], again=True)
    try:
        for at in range(0, IMPORTED, 4):
            some = [message(T0 - 10**12 + at + n, b"old", b"x" * 9_000, origin=Origin.IMPORTED) for n in range(4)]
            run.commit(batch_of(run.names, some, ["old"] * 4, [(0, "cpu_percent", 1.0)]))
            run.sum_up()
        run.finish([FILE])
    except BaseException:
        run.cancel()
        raise


def kill(writer: StoreWriter) -> None:
    """Let go of all files and leave them as they are, for the next start to mend."""
    connections = [taker.segment.connection for taker in writer._upkeep._takers]
    for connection in (*connections, writer._catalogue):
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    for file in writer.journal._files:  # `journal.close` would forget what is stored
        file.close()
    writer._upkeep.release()
    writer._database.close()


def stored(workspace: Workspace) -> tuple[list[int], int]:
    """Numbers of what was recorded, in order, and how many imported messages there are."""
    numbers: list[int] = []
    imported = 0
    for (id_,) in rows(workspace, "catalogue", _KEPT):
        found = messages_of(workspace, id_)
        mine = [payload for payload, origin in found if origin != Origin.IMPORTED << 4]
        numbers += [int(payload.rstrip(b".")) for payload in mine]
        imported += len(found) - len(mine)
    return numbers, imported


def messages_of(workspace: Workspace, segment: int) -> list[Row]:
    """Payload and origin, of whatever layout it is."""
    opened = OpenSegment(SegmentRow(segment, 0, "open", 0, 0, 0, 0, 0, 0, 0), workspace.segment(segment))
    try:
        return opened.rows("SELECT payload, flags & 48 FROM message ORDER BY seq")
    finally:
        opened.connection.close()


def check_survived(workspace: Workspace, told: Told) -> None:
    """Start again, go on recording, look at everything."""
    clock = FakeClock(T0 + 10**9)
    writer = StoreWriter(workspace, clock, LIMITS)
    assert writer.problems == []
    writer.begin_capture("mqtt://broker", "client")
    bring_back(writer)
    numbers, imported = stored(workspace)
    gone, imports_gone = rows(workspace, "catalogue", _REMOVED)[0]
    end = gone + len(numbers)
    assert numbers == list(range(gone, end)), "nothing twice, nothing missing between"
    assert end in {told.messages, told.messages + BATCH}, "what was answered for, and what was under way whole or not"
    assert imported + imports_gone in ({IMPORTED} if told.imported else {0, IMPORTED})
    if told.name:
        assert rows(workspace, "catalogue", "SELECT given_name FROM agent WHERE name = 'a'")[0][0] >= told.name
    writer.commit(numbered(writer, clock, end))
    writer.close()
    assert list(verify(workspace)) == []
    assert stored(workspace)[0][-BATCH:] == list(range(end, end + BATCH))
