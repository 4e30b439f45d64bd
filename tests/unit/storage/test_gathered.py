"""Samples that are thinned out while they are found: few stay as they are, of many every extreme stays."""

import numpy as np
import pytest

from models.domain.reduce import counter_index, envelope_index
from models.storage.history.gathered import Gathered, SharedTimes
from models.storage.segments.sample_pick import Piece

SECOND = 1_000_000
START = 1_790_000_000 * SECOND
N, PIECE = 50_000, 3_001


def walk(seed: int) -> Piece:
    chance = np.random.default_rng(seed)
    at = START + np.arange(N) * SECOND + chance.integers(0, 3 * SECOND, N)  # not in order by the agent's own time
    value = np.cumsum(chance.normal(0, 1, N))
    value[chance.integers(0, N, 40)] += 1_000
    return Piece(1, at, np.sort(at) + 100, value)


def pieces(whole: Piece) -> list[Piece]:
    """Newest first, as they are found."""
    parts = [slice(at, at + PIECE) for at in range(0, N, PIECE)]
    return [Piece(1, whole.time_us[one], whole.received_us[one], whole.value[one]) for one in reversed(parts)]


def test_what_is_not_too_much_stays_as_it_was() -> None:
    whole = walk(1)
    gathered = Gathered(N, 100, N * SECOND, envelope_index)
    for piece in pieces(whole):
        gathered.add(piece)
    found = gathered.columns(1, SharedTimes())
    order = np.argsort(whole.time_us, kind="stable")
    assert not found.reduced
    np.testing.assert_array_equal(found.time_us, whole.time_us[order])
    np.testing.assert_array_equal(found.received_us, whole.received_us[order])
    np.testing.assert_array_equal(found.value, whole.value[order])


@pytest.mark.parametrize("most", [400, 2_000, 20_000])
def test_of_too_many_the_extremes_of_every_stretch_stay(most: int) -> None:
    whole = walk(2)
    gathered = Gathered(3 * PIECE, most, N * SECOND, envelope_index)
    for piece in pieces(whole):
        gathered.add(piece)
        gathered.columns(1, SharedTimes())  # a page on the way changes nothing
    found = gathered.columns(1, SharedTimes())
    assert found.reduced
    assert 0 < len(found.value) <= most
    assert (np.diff(found.time_us) >= 0).all()
    was = {*zip(whole.time_us.tolist(), whole.received_us.tolist(), whole.value.tolist(), strict=True)}
    assert {*zip(found.time_us.tolist(), found.received_us.tolist(), found.value.tolist(), strict=True)} <= was
    width = 2 * N * SECOND // (most // 2)  # a stretch may be cut in two by the end of a piece
    for since in range(START, START + N * SECOND, width):
        inside = whole.value[(whole.time_us >= since) & (whole.time_us < since + width)]
        near = found.value[(found.time_us >= since - width) & (found.time_us < since + 2 * width)]
        assert near.min() <= inside.min()
        assert near.max() >= inside.max()


def test_the_rise_of_a_counter_stays_exact() -> None:
    chance = np.random.default_rng(3)
    value = np.cumsum(chance.integers(0, 5, N)).astype(float)
    value[N // 2 :] -= value[N // 2]
    at = START + np.arange(N) * SECOND
    gathered = Gathered(500, 500, N * SECOND, counter_index)
    for piece in pieces(Piece(1, at, at, value)):
        gathered.add(piece)
    step = np.diff(gathered.columns(1, SharedTimes()).value)
    assert step[step > 0].sum() == np.diff(value)[np.diff(value) > 0].sum()
    assert (step < 0).sum() == 1
