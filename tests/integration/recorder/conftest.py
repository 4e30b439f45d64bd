"""What these tests begin with."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.recording import Recording


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    one = Recording(tmp_path / "workspace")
    yield one
    one.close()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Recorded traffic that takes some seconds: as many log records of 50 agents as the module's `MANY`."""
    path = tmp_path_factory.mktemp("large") / "large.jsonl"
    with path.open("w") as file:
        for n in range(request.module.MANY):
            payload = base64.b64encode(b'{"level":"info","message":"%d"}' % n).decode()
            told = {"ts": 1_795_000_000 + n / 100, "topic": f"agents/old-{n % 50}/log", "payload_b64": payload}
            file.write(json.dumps(told) + "\n")
    return path
