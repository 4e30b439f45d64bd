"""What every recording, and a simulated fleet of our own agents, comes to in the exports: not a byte changes by itself.

The digests stand in `tests/recordings/exports.sha256`, a line for each dataset. Whoever changes what is read on purpose
makes them anew: `MURMURSCOPE_NEW_DIGESTS=1 pytest tests/integration/test_recordings_exported.py`, and looks at the difference.
"""

import hashlib
import io
import os
from pathlib import Path

import pytest

from models.storage.export.run import DATASETS, export
from models.storage.workspace import Workspace
from tests.helpers.reading import RECORDINGS, recorded
from tests.helpers.recorded_store import as_live, of_our_own_agents, record

DIGESTS = RECORDINGS / "exports.sha256"
NAMES = [path.stem for path in sorted(RECORDINGS.glob("*.jsonl"))]


def digests(name: str, workspace: Workspace) -> list[str]:
    """One line for each dataset, as `sha256sum` prints them."""
    found = []
    for dataset in DATASETS:
        written = io.BytesIO()
        export(workspace, dataset, written)
        found.append(f"{hashlib.sha256(written.getvalue()).hexdigest()}  {name}/{dataset}.csv")
    return found


@pytest.mark.parametrize("name", [*NAMES, "simulated-fleet"])
def test_exports_stay_as_they_are(name: str, tmp_path: Path) -> None:
    messages = of_our_own_agents() if name == "simulated-fleet" else as_live(recorded(name))
    found = digests(name, record(tmp_path / "workspace", messages))
    known = DIGESTS.read_text().splitlines() if DIGESTS.exists() else []
    if os.environ.get("MURMURSCOPE_NEW_DIGESTS"):
        others = [line for line in known if not line.partition("  ")[2].startswith(f"{name}/")]
        DIGESTS.write_text("\n".join(sorted(others + found, key=lambda line: line.partition("  ")[2])) + "\n")
        return
    assert [line for line in known if line.partition("  ")[2].startswith(f"{name}/")] == sorted(
        found, key=lambda line: line.partition("  ")[2]
    )
