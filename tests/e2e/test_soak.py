"""The program stays the same however long it runs."""

import pytest

from tests.benchmarks.soak import run_soak

pytestmark = pytest.mark.services
MOST_WAL_MB = 64


def judge(found: dict) -> None:
    assert found["sent"] > 0
    assert (found["lost"], found["dropped_by_broker"]) == (0, 0), found
    assert found["largest_wal_mb"] <= MOST_WAL_MB
    for grew in found["grew"].values():
        assert grew["handles"] <= 2, found
        assert grew["threads"] <= 0, found


def test_half_a_minute_opens_nothing_and_loses_nothing(tmp_path):
    judge(run_soak(tmp_path, minutes=0.4, rate=300, agents=50, every_s=2))


@pytest.mark.long
def test_an_hour_neither_grows_nor_loses(tmp_path):
    """How much memory grows is printed: an aim, no condition."""
    found = run_soak(tmp_path, minutes=60, rate=3_000, agents=300, every_s=30)
    print(found)
    judge(found)
