"""A catalogue that does not know yet that a segment was sealed, and closed files that are no segments any more."""

from collections import Counter

import apsw
import pytest

from models.storage.copies.verify import verify
from models.storage.history.info import store_info
from models.storage.sealing import sample_order
from models.storage.sealing.sample_reading import ChunkColumns
from models.storage.sealing.seal import seal
from models.storage.workspace import Workspace
from models.storage.writing.take_in import BATCHES_A_STEP
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, catalogue_now, message, put_back, rows

SECOND = 1_000_000


def record(writer: StoreWriter, clock: FakeClock, batches: int) -> None:
    for number in range(batches):
        clock.advance(SECOND)
        one = message(clock.wall_us(), payload=b"%d" % number)
        writer.commit(batch_of(writer.names, [one], ["a"], [(0, "load", float(number))]))
        writer.housekeep()


def end_segment(writer: StoreWriter, clock: FakeClock) -> None:
    writer.begin_capture("mqtt://broker", "client")
    clock.advance(SECOND)
    writer.housekeep()


def test_a_catalogue_of_before_its_end_takes_a_sealed_segment_in(workspace: Workspace, clock: FakeClock) -> None:
    writer = StoreWriter(workspace, clock)
    writer.begin_capture("mqtt://broker", "client")
    record(writer, clock, 20)
    before = catalogue_now(workspace)
    record(writer, clock, 10)
    end_segment(writer, clock)
    seal(workspace.segment(1), workspace.sealing(1))
    writer.sealing.swap_in(1)
    writer.close()
    told = store_info(workspace)["sealed"]
    put_back(workspace, before)
    again = StoreWriter(workspace, clock)
    assert again.problems == []
    again.close()
    assert rows(workspace, "catalogue", "SELECT state, layout, messages FROM segment") == [("closed", 2, 30)]
    assert rows(workspace, "catalogue", "SELECT sum(messages) FROM topic_total") == [(30,)]
    assert rows(workspace, "catalogue", "SELECT messages FROM agent_now") == [(30,)]
    assert store_info(workspace)["sealed"] == told
    assert list(verify(workspace)) == []


def test_a_lost_catalogue_is_told_of_every_batch_and_every_chunk_is_decoded_once(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = StoreWriter(workspace, clock)
    writer.begin_capture("mqtt://broker", "client")
    for number in range(3 * BATCHES_A_STEP):
        some = [message(clock.wall_us() + n, payload=b"%d" % number) for n in range(2)]
        batch = batch_of(writer.names, some, ["a", "b"], [(n, "cpu_percent", float(number)) for n in range(2)])
        writer.commit(batch)
        clock.advance(SECOND)
    end_segment(writer, clock)
    seal(workspace.segment(1), workspace.sealing(1))
    writer.sealing.swap_in(1)
    writer.close()
    told = rows(workspace, "catalogue", "SELECT agent_id, messages, cpu FROM agent_now ORDER BY 1")
    for path in workspace.root.glob("catalogue.db*"):
        path.unlink()
    decoded: Counter[int] = Counter()

    class Counting(ChunkColumns):
        def __init__(self, connection: apsw.Connection, chunk: int) -> None:
            decoded[chunk] += 1
            super().__init__(connection, chunk)

    monkeypatch.setattr(sample_order, "ChunkColumns", Counting)
    again = StoreWriter(workspace, clock)
    assert again.problems == []
    again.close()
    assert rows(workspace, "catalogue", "SELECT agent_id, messages, cpu FROM agent_now ORDER BY 1") == told
    assert [row[1] for row in told] == [3 * BATCHES_A_STEP] * 2
    assert told[0][2] is not None
    assert decoded
    assert set(decoded.values()) == {1}


@pytest.mark.parametrize("damage", ["", "DROP TABLE meta", "DELETE FROM meta"])
def test_a_closed_file_that_is_no_segment_any_more_keeps_nobody_from_recording(
    damage: str, workspace: Workspace, clock: FakeClock
) -> None:
    writer = StoreWriter(workspace, clock)
    writer.begin_capture("mqtt://broker", "client")
    record(writer, clock, 20)
    end_segment(writer, clock)
    writer.close()
    path = workspace.segment(1)
    if damage:
        connection = apsw.Connection(str(path))
        connection.execute(damage)
        connection.execute("VACUUM")
        connection.close()
    else:
        path.write_bytes(b"")
    again = StoreWriter(workspace, clock)
    again.begin_capture("mqtt://broker", "client")
    record(again, clock, 3)
    again.close()
    assert {finding.segment for finding in verify(workspace)} == {1}
