"""The fleet at moments that are jumped and slid between is the fleet that one finds who looks at that moment first."""

from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.domain.queries import CancelToken, FleetRequest, FleetResult
from models.storage.history.reader import HistoryReader
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.recorded_store import of_our_own_agents, record

SLOWER = 300
"""Twenty-four seconds become two hours."""
SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    said = of_our_own_agents(60)
    later = [one._replace(received_us=T0 + (one.received_us - T0) * SLOWER) for one in said]
    folder: Path = tmp_path_factory.mktemp("moments")
    return record(folder, later)


def fleet(reader: HistoryReader, at_us: int) -> FleetResult:
    (found,) = reader.answer(FleetRequest(at_us, with_retired=True), CancelToken())
    assert isinstance(found, FleetResult)
    return found


def test_how_one_came_to_a_moment_does_not_matter(workspace: Workspace) -> None:
    travelled = HistoryReader(workspace)
    moments = [T0 + int(hours * HOUR_US) for hours in (1.9, 0.2, 1.0, 1.005, 1.01, 1.5, 0.6, 1.49, 0.01, 2.5, 1.2)]
    busy = 0
    for at_us in moments:
        fresh = HistoryReader(workspace)
        expected, found = fleet(fresh, at_us), fleet(travelled, at_us)
        fresh.close()
        for field in fields(FleetResult):
            np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name), field.name)
        busy += int(expected.tasks_open.sum() > 0) + int(expected.response_n.sum() > 0)
    assert busy > len(moments)  # there was something to get wrong
    travelled.close()


def test_a_task_is_open_from_its_first_report_to_its_last(workspace: Workspace) -> None:
    reader = HistoryReader(workspace)
    assert fleet(reader, T0 - HOUR_US).tasks_open.sum() == 0
    counts = [int(fleet(reader, T0 + minute * 60 * SECOND_US).tasks_open.sum()) for minute in range(10, 120, 10)]
    assert max(counts) > 0
    assert any(later < earlier for earlier, later in pairwise(counts))
    reader.close()
