"""Kill the recorder while messages pour in: what the broker acknowledged to the publisher is exported, once."""

import pytest

from tests.benchmarks.kill_recorder import kill_again_and_again

pytestmark = pytest.mark.services


def judge(figures):
    assert figures["acknowledged"] > 0
    assert (figures["lost"], figures["doubled"]) == (0, 0), figures
    assert figures["rows"] == figures["acknowledged"], figures


@pytest.mark.parametrize("protocol", ["auto", "3.1.1"])
def test_kills_lose_and_double_nothing(tmp_path, protocol):
    figures = kill_again_and_again(tmp_path, kills=2, rate=1_000, seed=1, protocol=protocol)
    assert figures["kills"] == 2
    judge(figures)


@pytest.mark.long
@pytest.mark.parametrize("protocol", ["auto", "3.1.1"])
def test_many_kills_at_a_high_rate_lose_and_double_nothing(tmp_path, protocol):
    figures = kill_again_and_again(tmp_path, kills=200, rate=5_000, seed=2, protocol=protocol)
    print(figures)
    judge(figures)
