"""What is acknowledged, and when: every message of QoS 1 once, in order, and none before it is safe."""

import random

import pytest

from models.domain.arrivals import Arrival, Source
from mqtt.acknowledging import FEW, MOST_BYTES, Acknowledging, Piece
from tests.helpers.kept_arrivals import KeptArrivals

SOURCE = Source("mqtt://broker", "me", version_5=False)


@pytest.fixture
def journal() -> KeptArrivals:
    return KeptArrivals()


def pieces(*packet_ids: int) -> list[Piece]:
    return [Piece(1, b"".join(b"\x32\x06\x00\x01t" + one.to_bytes(2, "big") + b"x" for one in packet_ids))]


def arrive(acknowledging: Acknowledging, *packet_ids: int) -> bool:
    return acknowledging.arrived(list(packet_ids), pieces(*packet_ids), acknowledging.number)


def due(acknowledging: Acknowledging) -> list[int]:
    ready = acknowledging.due()
    return [ready.popleft()[0] for _ in range(len(ready))]


def told(*packet_ids: int) -> list[tuple[int, int]]:
    return [(one, 1) for one in packet_ids]


def test_a_few_wait_until_they_are_stored(journal: KeptArrivals) -> None:
    one = Acknowledging(journal, SOURCE, None)
    assert not arrive(one, *range(1, FEW))
    assert due(one) == []
    one.stored(told(1, 2, 3))
    assert due(one) == [1, 2, 3]
    assert not arrive(one, FEW)
    assert journal.times == 0


def test_as_many_as_may_fill_a_window_are_kept_and_acknowledged_once(journal: KeptArrivals) -> None:
    one = Acknowledging(journal, SOURCE, None)
    assert not arrive(one, 1, 2, 3)
    assert arrive(one, *range(4, FEW + 1))
    everything = list(range(1, FEW + 1))
    assert [message.packet_id for message in journal.messages()] == everything
    assert due(one) == everything
    assert not arrive(one, 1), "its packet id is free again"
    one.stored(told(*everything))
    assert due(one) == [], "that would acknowledge another message"
    one.stored(told(1))
    assert due(one) == [1]


def test_a_window_that_is_known_is_used_up_to_a_quarter(journal: KeptArrivals) -> None:
    one = Acknowledging(journal, SOURCE, 100)
    assert not arrive(one, *range(1, 25))
    assert arrive(one, 25)
    assert journal.times == 1


def test_many_bytes_do_not_wait_either(journal: KeptArrivals) -> None:
    one = Acknowledging(journal, SOURCE, 65_535)
    assert not one.arrived([1], [Piece(1, b"x" * (MOST_BYTES - 1))], one.number)
    assert one.arrived([2], [Piece(1, b"x")], one.number)
    assert due(one) == [1, 2]


def test_where_nothing_can_be_kept_all_waits_for_the_store(journal: KeptArrivals) -> None:
    one, journal.works = Acknowledging(journal, SOURCE, None), False
    numbers = list(range(1, 40))
    assert not arrive(one, *numbers)
    assert due(one) == []
    one.stored(told(*numbers))
    assert due(one) == numbers
    journal.works = True
    assert arrive(one, *numbers)
    assert [message.packet_id for message in journal.messages()] == numbers, "and not what is stored already"


def test_packets_that_cannot_be_kept_are_held_up_to_a_limit(journal: KeptArrivals) -> None:
    one, journal.works = Acknowledging(journal, SOURCE, None), False
    part, ids = MOST_BYTES // 8, range(1, 101)
    for packet_id in ids:
        assert not one.arrived([packet_id], [Piece(1, b"x" * part)], one.number)
        assert sum(len(piece.packets) for piece in held(one)) <= MOST_BYTES
    journal.works = True
    assert not arrive(one, 101), "what came before it can only be stored"
    assert due(one) == []
    one.stored(told(*ids))
    assert arrive(one, *range(102, 120))
    assert due(one) == list(range(1, 120))
    assert [message.packet_id for message in journal.messages()] == list(range(101, 120))


def held(one: Acknowledging) -> list[Arrival]:
    return [arrival for waiting in one._waiting for arrival in waiting.arrivals]


def test_of_what_the_bytes_are_not_known_nothing_is_kept(journal: KeptArrivals) -> None:
    one = Acknowledging(journal, SOURCE, None)
    assert not one.arrived([1], [], one.number)
    assert not arrive(one, *range(2, 50))
    one.stored(told(1))
    assert arrive(one, 50)
    assert due(one) == list(range(1, 51))


def test_without_a_journal_it_is_the_store_alone() -> None:
    one = Acknowledging(None, SOURCE, None)
    assert one.number == 0
    assert not arrive(one, *range(1, 100))
    one.stored(told(*range(1, 100)))
    one.answered([(7, 1)])
    assert due(one) == [*range(1, 100), 7] or due(one) == []


def test_whatever_comes_and_whenever_it_is_stored_each_is_acknowledged_once_and_in_order(journal: KeptArrivals) -> None:
    chance = random.Random(3)
    one, ends, stored, acknowledged = Acknowledging(journal, SOURCE, None), [0], 0, list[int]()
    for _ in range(200):
        journal.works = chance.random() < 0.7
        count = chance.randrange(1, 15)
        arrive(one, *range(ends[-1] + 1, ends[-1] + count + 1))
        ends.append(ends[-1] + count)
        if chance.random() < 0.4:
            until = chance.choice([end for end in ends if end >= stored])  # whole lists
            one.stored(told(*range(stored + 1, until + 1)))
            stored = until
        acknowledged += due(one)
        safe = max([stored, *(message.packet_id for message in journal.messages()[-1:])])
        assert acknowledged == list(range(1, safe + 1))
