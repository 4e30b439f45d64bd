import json
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest

from app.diagnostics.mask import Mask
from app.diagnostics.report import Asked, gather, save_report
from models.domain.control import Counters, Link, RecorderState
from models.domain.problems import EnvironmentProblem
from models.domain.queries import Cancelled, CancelToken
from models.storage.workspace import Workspace
from tests.helpers.history_builder import HistoryBuilder, raw

CANARY = 'canary-7f3a"\\é%'
STATE = RecorderState(
    7, "0.1.0", 1, "window", 0, Link.REFUSED, 0, "mqtts://alice@broker.example:8883", counters=Counters(received=12)
)


class TestMask:
    @pytest.mark.parametrize(
        "text",
        [
            f"mqtt://me:{CANARY}@broker.example:1883",
            f'url = "mqtt://me:{quote(CANARY, safe="")}@broker.example"',
            f"https://broker.example/x?key={quote(CANARY)}&a=1",
            f"password = {CANARY} and more",
            json.dumps({"password": CANARY, "n": 1}),
            json.dumps({"text": f"Authorization: Bearer {quote(CANARY, safe='')}xyz"}),
            f"MURMURSCOPE_PASSWORD={quote(CANARY)}",
            f"api_key: {quote(CANARY)}",
            f"token='{quote(CANARY)}'",
        ],
    )
    def test_a_secret_that_nobody_knows_is_taken_out_by_what_stands_around_it(self, text: str) -> None:
        masked = Mask().masked(text)
        assert "canary" not in masked
        assert "***" in masked

    @pytest.mark.parametrize("form", [CANARY, quote(CANARY, safe=""), json.dumps(CANARY)[1:-1], repr(CANARY)[1:-1]])
    def test_a_known_secret_is_taken_out_wherever_it_stands(self, form: str) -> None:
        assert Mask([CANARY]).masked(f"it said {form}, and then") == "it said ***, and then"

    def test_user_names_in_addresses_and_of_folders_are_nobodys_business(self) -> None:
        mask = Mask(people=[("/home/alice", "~"), ("alice", "user")])
        assert (
            mask.masked("mqtt://alice@h:1883 from /home/alice/w, alice said") == "mqtt://***@h:1883 from ~/w, user said"
        )
        assert mask.masked("malice") == "malice"

    def test_names_become_numbers_that_stay_the_same(self) -> None:
        mask = Mask()
        mask.hide_names("agent", ["crawler-1", "The big one", "crawler-12"])
        mask.hide_names("topic", ["agents/crawler-1/status", "$SYS/x"])
        assert (
            mask.masked("crawler-12 and crawler-1. crawler-123, The big one!")
            == "agent-3 and agent-1. crawler-123, agent-2!"
        )
        assert mask.masked("agents/crawler-1/status agents/crawler-1/log") == "topic-1 agents/agent-1/log"

    def test_what_harms_nobody_stays(self) -> None:
        text = '{"level": "info", "text": "broker.example admits nobody without a user name and a password."}\nkeepalive_s = 15\n'
        assert Mask(["", "ab"]).masked(text) == text

    def test_a_word_of_a_megabyte_is_looked_at_once_and_not_once_per_letter(self) -> None:
        """With the square of its length this would take until the run is ended."""
        assert Mask([CANARY]).masked("x" * 1_000_000) == "x" * 1_000_000


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("HOME", str(tmp_path / "alice"))
    monkeypatch.setenv("LOGNAME", "alice")
    workspace = Workspace.at(tmp_path / "alice" / "w")
    builder = HistoryBuilder(workspace)
    segment = builder.segment()
    agent = builder.agent("crawler-1")
    segment.write(
        builder.messages(
            [raw("agents/crawler-1/status", at_us=1_795_441_200_000_000, payload=b"canary-payload")], agent
        )
    )
    segment.close()
    builder.close()
    workspace.settings.write_text(
        f'# mine\n[connection]\nurl = "mqtts://alice:{quote(CANARY, safe="")}@broker.example:8883"\npassword = "{CANARY}"\n'
    )
    workspace.log.write_text(
        json.dumps({"text": f"agents/crawler-1/status is strange to crawler-1, mqtt://alice:{CANARY}@h"}) + "\n"
    )
    (workspace.root / "recorder.crash").write_text('File "/usr/lib/x.py", line 3 in run\n')
    (workspace.root / "broker").mkdir()
    (workspace.root / "broker" / "password").write_text("own-broker-canary\n")
    return workspace


def report(workspace: Workspace, tmp_path: Path, *, with_names: bool = False) -> dict[str, str]:
    log = tmp_path / "alice" / "state" / "window.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text(f"INFO told {CANARY} and own-broker-canary in {tmp_path}/alice\n")
    asked = Asked(workspace, STATE, [("Qt platform", "xcb")], log, [CANARY])
    return gather(asked, CancelToken()).files(with_names=with_names)


@pytest.mark.parametrize("with_names", [False, True])
def test_nothing_secret_is_in_it(workspace: Workspace, tmp_path: Path, with_names: bool) -> None:
    files = report(workspace, tmp_path, with_names=with_names)
    assert [name for name, text in files.items() if "canary" in text] == []
    assert [name for name, text in files.items() if "alice" in text] == []
    assert ("crawler" in "".join(files.values())) is with_names


def test_it_tells_what_a_report_needs(workspace: Workspace, tmp_path: Path) -> None:
    files = report(workspace, tmp_path)
    assert list(files)[:3] == ["README.txt", "versions.txt", "system.txt"]
    assert "SQLite" in files["versions.txt"]
    assert "Qt platform" in files["system.txt"]
    assert "broker.example:8883" in files["settings.toml"]
    assert "# mine" in files["settings.toml"]
    assert json.loads(files["recorder-state.json"])["counters"]["received"] == 12
    assert json.loads(files["store.json"])["agents"] == 1
    (segment,) = json.loads(files["segments.json"])
    assert segment["messages"] == 1
    assert segment["file_bytes"] > 0
    assert "agent-1" in files["recorder.log"]
    assert "line 3 in run" in files["recorder.crash"]
    assert files["window.crash"] == "there is none\n"
    (tmp_path / "alice" / "state" / "window-7.crash").write_text("Segmentation fault\n")
    (tmp_path / "alice" / "state" / "window-8.crash").write_text("")
    assert report(workspace, tmp_path)["window.crash"].splitlines()[1:] == ["Segmentation fault"]


def test_a_workspace_that_cannot_be_read_is_told_in_its_place(tmp_path: Path) -> None:
    files = gather(Asked(Workspace.at(tmp_path / "gone"), None), CancelToken()).files(with_names=False)
    assert files["store.json"].startswith("workspace.missing")
    assert "not readable" in files["settings.toml"]
    assert files["recorder-state.json"] == "null\n"


def test_it_can_be_cancelled(workspace: Workspace) -> None:
    with pytest.raises(Cancelled):
        gather(Asked(workspace, None), CancelToken(cancelled=True))


def test_a_long_log_gives_its_last_part(workspace: Workspace, tmp_path: Path) -> None:
    workspace.log.write_text("".join(f"line {number}\n" for number in range(100_000)))
    text = report(workspace, tmp_path)["recorder.log"]
    assert text.startswith("…line ")
    assert text.endswith("line 99999\n")
    assert len(text) <= 300_001


def test_the_file_is_private_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "report.zip"
    path.write_text("old")
    save_report(path, {"a.txt": "one", "b.txt": "two é"})
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as packed:
        assert packed.namelist() == ["murmurscope-diagnostics/a.txt", "murmurscope-diagnostics/b.txt"]
        assert packed.read("murmurscope-diagnostics/b.txt").decode() == "two é"
    with pytest.raises(EnvironmentProblem, match="cannot be used"):
        save_report(tmp_path / "gone" / "report.zip", {"a.txt": "one"})
    assert [one.name for one in tmp_path.iterdir()] == ["report.zip"]
