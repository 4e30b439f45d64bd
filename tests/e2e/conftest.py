"""What most of these tests begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.recording import Recording


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    """A workspace of its own with the recorder as a program, not started yet."""
    one = Recording(tmp_path / "workspace")
    yield one
    one.close()
