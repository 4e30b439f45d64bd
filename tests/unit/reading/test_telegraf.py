"""Telegraf: line protocol, JSON, and a topic for each field."""

import json
import random
from collections import Counter

import pytest

from models.domain.messages import Origin
from models.domain.names import SeriesKind
from mqtt.reading.conventions.telegraf_units import unit_in_telegraf
from mqtt.reading.line_protocol import read_key, read_lines
from tests.helpers.reading import Reading, recorded

NS = 1_795_420_050_000_000_000
TOTAL = '{"cpu":"cpu-total"}'


def series_of(reading: Reading) -> Counter[tuple[str, str, str, str]]:
    """Agent, metric, labels and unit of every series, with its points."""
    found: Counter[tuple[str, str, str, str]] = Counter()
    for id_ in reading.read_series:
        key = reading.names.series[id_]
        found[reading.names.agents[key.agent], key.metric, key.labels, key.unit] += 1
    assert len(found) == len(reading.names.series) - 1  # none without a point
    return found


@pytest.mark.parametrize("size", [1, 7, 100])
def test_the_recording(size: int) -> None:
    reading = Reading()
    messages = recorded("synthetic-telegraf")
    batches = [reading.read(*messages[i : i + size]) for i in range(0, len(messages), size)]
    assert reading.agents() == {"edge-1", "edge-2", "edge-3"}
    assert series_of(reading) == dict.fromkeys(
        (
            *(("edge-1", f"cpu.usage_{one}", TOTAL, "1") for one in ("user", "system", "idle", "iowait")),
            ("edge-1", "mem.used_percent", "", "1"), *(("edge-1", f"mem.{one}", "", "By") for one in ("used", "total", "sreclaimable")),
            *(("edge-1", "cpu.usage_idle", f'{{"cpu":"cpu{n}"}}', "1") for n in (0, 1)),
            ("edge-1", "system.load1", '{"os":"Debian 12"}', ""),
            *(("edge-2", f"cpu.usage_{one}", TOTAL, "1") for one in ("user", "idle")), ("edge-2", "mem.used_percent", "", "1"),
            *(("edge-2", f"net_response.{one}", '{"port":"443","protocol":"tcp","server":"api"}', unit)
              for one, unit in (("response_time", "s"), ("result_code", ""))),
            ("edge-3", "cpu.usage_idle", "", "1"), ("edge-3", "mem.used", "", "By"),
        ),
        6,
    )  # fmt: skip
    values = [one.value for one in reading.points if one[:2] == ("edge-1", "cpu.usage_user")]
    assert values == [n / 1_000 for n in range(105, 165, 10)]
    used = [one.value for one in reading.points if one[:2] == ("edge-1", "mem.used")]
    assert used == [4_294_967_296.0 + n for n in range(6)]
    assert all(one.time_us % 1_000_000 == 0 for one in reading.points if one.agent != "edge-3")  # their own times
    assert [one.convention for batch in batches for one in batch.declarations] == ["telegraf"] * 3
    assert not any(batch.unreadable or batch.evidence or batch.logs for batch in batches)


def test_escapes_and_types() -> None:
    reading = Reading()
    line = (
        r"my\ disk\,x,host=web\ 1,pa\=th=/mnt/a\,b,e=\" \"o\ k\"=1i,free=2.5e3,n=-3u,t=t,f=FALSE,"
        r'note="a, b=c \"d\" ' + "\n" + f'e",last=7 {NS}'
    )
    batch = reading.send("t/web", line)
    assert reading.agents() == {"web 1"}
    assert [one.value for one in reading.points] == [1.0, 2500.0, -3.0, 7.0]
    assert {one.time_us for one in reading.points} == {NS // 1_000}
    [first, *_] = reading.names.series[1:]
    assert first.metric == 'my disk,x."o k"'
    assert json.loads(first.labels) == {"pa=th": "/mnt/a,b", "e": '"'}
    assert not batch.unreadable


def test_many_points_of_several_moments_in_one_message() -> None:
    reading = Reading()
    lines = [f"cpu,host=a usage_idle={n} {NS + n * 10**9}" for n in range(3)]
    batch = reading.send("telegraf/a/batch", "\n".join(["# comment", *lines, "", f"mem,host=b used=5i {NS}"]))
    assert [(one.agent, one.value, one.time_us - NS // 1_000) for one in reading.points] == [
        ("a", 0.0, 0), ("b", 5.0, 0), ("a", 0.01, 1_000_000), ("a", 0.02, 2_000_000),
    ]  # fmt: skip
    assert reading.names.agents[batch.agent[0]] == "a"


def test_lines_that_differ_in_their_fields_alone() -> None:
    reading = Reading()
    for n in range(8):
        reading.send("t/a", f"system,host=a load1=1,load5=2 {NS}\nsystem,host=a uptime={n}i {NS}\n")
    assert [(one.metric, one.value) for one in reading.points[-3:]] == [
        ("system.load1", 1.0), ("system.load5", 2.0), ("system.uptime", 7.0),
    ]  # fmt: skip


def test_the_quick_way_reads_as_the_long_one() -> None:
    line = r'disk,host=a,path=/x\ y used=%di,used_percent=%s,note="a, \"b\" %d",ok=true,free=%d '
    for broken in (
        "disk,host=b used=1 ",
        "disk,host=a,path=/x used=1.2.3 ",
        "disk,host=a used=1e999,x=2 ",
        "# note",
        "x",
    ):
        reading, plain = Reading(), Reading()
        for n in range(30):
            text = broken + str(NS) if n == 20 else line % (n, n / 2, n, n) + str(NS + n * 10**9)
            reading.send("t/a", text)
            plain.send(f"t/{n}/a", text)  # each on a topic of its own: the long way
        assert reading.points == plain.points


def test_a_broken_line_does_not_stop_the_others() -> None:
    reading = Reading()
    reading.send("t/a/m", f"cpu,host=a x=1 {NS}\n")
    batch = reading.send("t/a/m", f"cpu,host=a x=2 {NS}\ncpu,host=a x=abc\ncpu,host= x= =1\ncpu,host=a x=3 {NS}")
    assert [one.value for one in reading.points] == [1.0, 2.0, 3.0]
    assert [one.reason for one in batch.unreadable] == ["shape"]


def test_a_time_longer_than_any_is_a_broken_line() -> None:
    reading = Reading()
    reading.send("t/a/m", f"cpu,host=a x=1 {NS}\n")
    batch = reading.send("t/a/m", f"cpu,host=a x=2 {NS}\ncpu,host=a x=3 {'9' * 5_000}")
    assert [one.value for one in reading.points] == [1.0, 2.0]
    assert [one.reason for one in batch.unreadable] == ["shape"]


def test_without_a_host_the_topic_says_whose_it_is() -> None:
    reading = Reading()
    reading.send("telegraf/edge-9/cpu", f"cpu,cpu=cpu0 usage_idle=5 {NS}")
    reading.send(
        "telegraf/edge-8/cpu", {"name": "cpu", "fields": {"usage_idle": 5}, "tags": {}, "timestamp": NS // 10**9}
    )
    assert [one.agent for one in reading.points] == ["edge-9", "edge-8"]


@pytest.mark.parametrize("units", [1, 10**3, 10**6, 10**9])
def test_times_of_json_in_every_unit(units: int) -> None:
    reading = Reading()
    body = {"name": "mem", "fields": {"used": 1, "deep": {"x": 2}, "s": "t", "b": True}, "tags": {"host": "a"}}
    batch = reading.send("x/a", body | {"timestamp": NS // 10**9 * units})
    assert [(one.metric, one.unit, one.time_us) for one in reading.points] == [
        ("mem.used", "By", NS // 1_000), ("mem.deep.x", "", NS // 1_000)
    ]  # fmt: skip
    assert not batch.unreadable


def test_a_field_in_a_topic_of_its_own() -> None:
    reading = Reading()
    for topic, value in (
        ("telegraf/site/web-1/disk/used_percent", "12.5"), ("telegraf/web/cpu/cpu0/usage_idle", "5"),
        ("telegraf/web/system/uptime_format", "1 day, 2:03"), ("telegraf/web/system/up", "true"),
    ):  # fmt: skip
        assert not reading.send(topic, value).unreadable
    assert [one[:3] + one[4:] for one in reading.points] == [
        ("web-1", "disk.used_percent", "1", 0.125), ("web", "cpu.cpu0.usage_idle", "1", 0.05),
    ]  # fmt: skip


def test_a_replay_is_no_sample() -> None:
    reading = Reading()
    for topic, payload in (
        ("t/a", f"cpu,host=a x=1 {NS}"), ("telegraf/a/cpu/x", "1"), ("j/a", {"name": "c", "fields": {"x": 1}, "tags": {}})
    ):  # fmt: skip
        assert not reading.send(topic, payload, Origin.REPLAY).sample_value


@pytest.mark.parametrize(
    "payload",
    [
        "level=info msg=started",
        "a=1 b=2",
        "x 5",
        "cpu usage=5",
        '{"fields": 1}',
        '{"fields": {}, "name": 5}',
        "x,y z=1 12",
    ],
)
def test_what_is_no_telegraf(payload: str) -> None:
    reading = Reading()
    batch = reading.send("lab/a-1/x", payload)
    assert not batch.declarations


@pytest.mark.parametrize(
    ("measurement", "field", "unit", "kind"),
    [
        ("cpu", "usage_active", "%", SeriesKind.GAUGE), ("cpu", "time_user", "s", SeriesKind.COUNTER),
        ("mem", "used_percent", "%", SeriesKind.GAUGE), ("net", "bytes_recv", "By", SeriesKind.COUNTER),
        ("ping", "percent_packet_loss", "%", SeriesKind.GAUGE), ("ping", "average_response_ms", "ms", SeriesKind.GAUGE),
        ("system", "load1", "", SeriesKind.GAUGE), ("other", "wait_seconds", "s", SeriesKind.GAUGE),
    ],
)  # fmt: skip
def test_units(measurement: str, field: str, unit: str, kind: SeriesKind) -> None:
    assert unit_in_telegraf(measurement, field) == (unit, kind)


def test_whatever_is_cut_from_a_line_nothing_breaks() -> None:
    chance = random.Random(5)
    line = r'a\,b,host=x\ y,t\=u=v s="a \"b\" c",n=1.5e3,i=5i,u=6u,b=true 1795420050000000000' + "\n"
    whole = line * 2
    reading = Reading()
    reading.send("t/x", line)
    for _ in range(5_000):
        start, end = sorted(chance.choices(range(len(whole)), k=2))
        text = whole[:start] + chance.choice(["", '"', "\\", ",", "=", " ", "\n", "9" * 400, "e", "#"]) + whole[end:]
        lines = list(read_lines(text))
        assert all(line is None or read_key(line.key) is None or line.key for line in lines)
        batch = reading.send("t/x", text)
        assert not [one for one in batch.unreadable if one.reason == "bug"]
