"""`record --files` as a process, with a real broker: the rows of `export`, whatever happens to recorder and folder."""

import gzip
import json

import psutil
import pytest

from app.cli.files import files_options
from app.cli.parser import parse
from app.files.names import our_files
from models.domain.connection import parse_url
from models.storage.export.run import STREAMS
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.poll import until
from tests.helpers.recording import Recording

pytestmark = pytest.mark.services


@pytest.fixture
def broker(make_broker):
    return make_broker(max_queued_messages=100_000)


@pytest.fixture
def recording(tmp_path):
    one = Recording(tmp_path / "ws")
    yield one
    one.close()


@pytest.fixture
def publish(broker):
    """Publishes metrics, logs and connection attempts of three agents; every call says other things."""
    connection, _ = parse_url(broker.url)
    publisher = BulkPublisher(connection, None, "publisher")
    said = 0

    def some(rounds):
        nonlocal said
        for _ in range(rounds):
            said += 1
            for agent in ("a", "b", "c"):
                publisher.send([
                    Outgoing(b"agents/%s/metrics" % agent.encode(), json.dumps({"load": said, "rss": said / 3}).encode()),
                    Outgoing(b"agents/%s/log" % agent.encode(), json.dumps({"level": "warn", "message": f"said {said}"}).encode()),
                    Outgoing(b"agents/%s/connection" % agent.encode(), json.dumps({"target": "x", "outcome": "error"}).encode()),
                ], 1)  # fmt: skip
        assert publisher.drain(30)

    yield some
    publisher.close()


def written(folder, dataset):
    found = []
    for name in our_files(folder):
        if name.dataset == dataset:
            data = (folder / str(name)).read_bytes()
            found.append(gzip.decompress(data) if name.end else data)
    return b"".join(found)


def assert_same(recording, folder):
    for dataset in STREAMS:
        exported = recording.command("export", dataset, "--format", "jsonl")
        assert exported.returncode == 0
        assert written(folder, dataset) == exported.stdout, dataset


def warnings(recording):
    return [one["code"] for one in recording.state.warnings]


def test_kills_and_ends_lose_and_double_no_row(broker, recording, publish, tmp_path):
    folder = tmp_path / "out" / "files"
    arguments = ("--broker", broker.url, "--files", str(folder))
    for _ in range(3):
        recording.start(*arguments)
        publish(300)
        recording.stored(1_000)
        recording.kill()
        publish(100)  # kept by the broker
    recording.start(*arguments)
    publish(100)
    recording.stored(1_200)
    assert recording.stop() == 0
    assert written(folder, "connections").count(b"\n") == 3 * 1_300
    assert_same(recording, folder)
    assert not list(recording.workspace.segments.glob("*-wal")), "nobody held the store up"
    info = json.loads(recording.command("info", "--json").stdout)
    assert info["files"]["rows"]["logs"] == 3 * 1_300
    assert (info["files"]["behind"], info["files"]["lost"], info["files"]["problem"]) == (0, 0, None)


def test_a_folder_that_is_away_is_told_by_the_recorder_and_holds_nothing_up(broker, recording, publish, tmp_path):
    folder = tmp_path / "files"
    folder.touch()  # no folder at all, to begin with
    recording.start("--broker", broker.url, "--files", str(folder))
    until(lambda: "files.hindered" in warnings(recording), "it is told")
    publish(20)
    recording.stored(180)
    until(
        lambda: (
            [one["params"]["count"] for one in recording.state.warnings if one["code"] == "files.hindered"] == [100]
        ),
        "what waits is told",
    )
    folder.unlink()
    until(lambda: warnings(recording) == [], "it is over")
    assert recording.stop() == 0
    assert_same(recording, folder)
    told = recording.errors.read_text()
    assert f"No files can be written to {folder} (Not a directory)" in told
    assert told.count("files can be written") <= 4, "no line a second"


def test_a_writer_of_files_that_is_killed_comes_back(broker, recording, publish, tmp_path):
    folder = tmp_path / "files"
    recording.start("--broker", broker.url, "--files", str(folder))
    publish(50)

    def child():
        return [one for one in psutil.Process(recording.pid).children() if "write-files" in one.cmdline()]

    until(lambda: b"said 50" in written(folder, "logs") if folder.exists() else False, "it writes")
    child()[0].kill()
    until(lambda: "files.ended" in warnings(recording), "it is told")
    publish(50)
    until(lambda: b"said 100" in written(folder, "logs"), "it goes on")
    until(lambda: warnings(recording) == [], "it is well")
    assert recording.stop() == 0
    assert_same(recording, folder)


def test_a_recording_of_some_seconds_has_its_files(broker, recording, tmp_path):
    folder = tmp_path / "files"
    code, _ = recording.run("--broker", broker.url, "--duration", "1", "--files", str(folder), "--files-format", "csv")
    assert code == 0
    exported = recording.command("export", "messages").stdout
    if exported.count(b"\r\n") > 1:  # the broker may have said something of itself
        assert written(folder, "messages") == exported
    assert (folder / "murmurscope-files.json").exists()


def test_the_options_of_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = files_options(parse(["record", "--files", "here", "--files-format", "csv", "--files-gib", "0.5"]))
    assert (options.folder, options.format, options.total_bytes) == (tmp_path / "here", "csv", 1 << 29)
    assert files_options(parse(["record"])) is None
    for wrong in (["--files-gib", "0"], ["--files-format", "xml"]):
        with pytest.raises(SystemExit):
            parse(["record", "--files", "here", *wrong])
    with pytest.raises(SystemExit):
        parse(["--help"])
    assert "write-files" not in capsys.readouterr().out
