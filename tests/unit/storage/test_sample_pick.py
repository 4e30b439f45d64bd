import apsw
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.batch import RecordBatch
from models.storage.segments import sample_columns
from models.storage.segments.batch_agents import BatchAgents
from models.storage.segments.sample_pick import pick
from tests.helpers.history_builder import raw

Samples = list[tuple[int, float]]
stamps = st.lists(
    st.lists(st.tuples(st.sampled_from([1, 2, 3, 9, 70_000, 2**32 - 1]), st.floats(-9, 9)), max_size=6), max_size=5
)


def columns(made: list[Samples], at_us: int) -> bytes | None:
    batch = RecordBatch(messages=[raw(at_us=at_us + place) for place in range(len(made))])
    for place, samples in enumerate(made):
        batch.add_samples(
            place, 10 * (at_us + place), [series for series, _ in samples], [value for _, value in samples]
        )
    return sample_columns.encode(batch)


@settings(max_examples=100, deadline=None)
@given(
    history=st.lists(stamps, max_size=6), wanted=st.sets(st.sampled_from([1, 3, 8, 9, 2**32 - 1])), broken=st.booleans()
)
def test_pick_finds_what_each_batch_has(history: list[list[Samples]], wanted: set[int], broken: bool) -> None:
    blobs = [data for place, one in enumerate(history) if (data := columns(one, 100 * place))]
    told: list[Exception] = []
    found = pick(
        blobs[:1] + [b"\x05\0\0\0\x01\0\0\0"] * broken + blobs[1:], np.array(sorted(wanted), np.uint32), told.append
    )
    expected = []
    for series in sorted(wanted):
        for data in blobs:
            time_us, received_us, value = sample_columns.decode(data).of(series)
            expected += [
                (series, *one) for one in zip(time_us.tolist(), received_us.tolist(), value.tolist(), strict=True)
            ]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected
    assert len(told) == (broken and bool(wanted))


def test_batches_of_an_agent_are_known_as_they_come() -> None:
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE batch (id INTEGER PRIMARY KEY, agents BLOB)")

    def put(id_: int, *agents: int) -> None:
        connection.execute("INSERT INTO batch VALUES (?, ?)", (id_, np.array(agents, "<u4").tobytes() or None))

    for id_ in range(1, 41):
        put(id_, *((1, 2) if id_ % 2 else (3,)))
    known = BatchAgents(connection)
    assert known.holding({1}, 20, 31).tolist() == [21, 23, 25, 27, 29]
    assert known.holding({1, 3}, 9, 13).tolist() == [9, 10, 11, 12]
    put(41, 1)
    put(42)
    put(43, 1, 7)
    assert known.holding({7, 2}, 1, 44).tolist() == [*range(1, 40, 2), 43]
    assert known.holding({9}, 1, 44).tolist() == []
    connection.close()
