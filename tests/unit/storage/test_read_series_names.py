"""Which series there are: of all agents at once, then what is new."""

import pytest

from models.domain.queries import Cancelled, CancelToken
from models.domain.series_names import SeriesNamesRequest, SeriesNamesResult
from models.storage.history.reader import HistoryReader
from tests.helpers.history_builder import HistoryBuilder


def ask(reader: HistoryReader, after: int = 0) -> SeriesNamesResult:
    (result,) = reader.answer(SeriesNamesRequest(after), CancelToken())
    assert isinstance(result, SeriesNamesResult)
    return result


def test_every_series_is_told_once_and_later_only_the_new_ones(build: HistoryBuilder, reader: HistoryReader) -> None:
    a, b = build.agent("a"), build.agent("b")
    cpu_a, cpu_b = build.series(a, "cpu"), build.series(b, "cpu")
    build.update_agent_now(a, presence=1, cpu_series=cpu_a)
    found = ask(reader)
    assert found.id.tolist() == [cpu_a, cpu_b]
    assert found.agent.tolist() == [a, b]
    assert found.told.tolist() == [0, 0]
    assert [words.metric for words in found.words] == ["cpu"]
    assert found.headline["cpu"] == {a: cpu_a}
    queue = build.series(b, "queue")
    newer = ask(reader, cpu_b)
    assert newer.id.tolist() == [queue]
    assert [words.metric for words in newer.words] == ["queue"]
    assert newer.headline["cpu"] == {a: cpu_a}


def test_a_cancelled_question_ends(build: HistoryBuilder, reader: HistoryReader) -> None:
    build.series(build.agent("a"), "cpu")
    with pytest.raises(Cancelled):
        list(reader.answer(SeriesNamesRequest(), CancelToken(cancelled=True)))
