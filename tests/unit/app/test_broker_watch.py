"""What the recorder knows of its broker from what that tells."""

from app.control_wire import decode_line, encode_line, state_from
from app.recorder.broker_watch import BrokerWatch
from models.domain.control import BrokerFigures, Link, RecorderState
from models.domain.messages import Origin
from tests.helpers.reading import ARRIVAL_US, Reading, recorded

MINUTE_US = 60_000_000


def test_mosquitto() -> None:
    watch = BrokerWatch()
    messages = recorded("mosquitto-2.0.11-sys")
    watch.take(messages)
    told = watch.figures
    assert (told.version, told.clients) == ("mosquitto version 2.0.11", 1)
    assert told.started_us is not None
    assert abs(told.started_us - messages[0].received_us) < 2_000_000
    assert (told.received_per_min or 0) > 100
    state = RecorderState(7, "0", 1, "window", 0, Link.CONNECTED, 0, "mqtt://h", broker=told)
    assert state_from(decode_line(encode_line({"state": state}))["state"]) == state


def test_a_cluster_of_emqx_and_what_is_retained() -> None:
    watch, reading = BrokerWatch(), Reading()
    for node, n in (("emqx@a", "5"), ("emqx@b", "7"), ("emqx@a", "6")):
        watch.take([reading.message(f"$SYS/brokers/{node}/stats/connections/count", n, Origin.REPLAY)])
    watch.take([reading.message("$SYS/brokers/emqx@a/version", "5.8.0"), reading.message("$SYS/brokers", "emqx@a")])
    assert watch.figures == BrokerFigures("5.8.0", None, 13)


def test_what_no_broker_tells_changes_nothing() -> None:
    watch, reading = BrokerWatch(), Reading()
    for topic in ("version", "uptime", "clients/connected", "load/messages/received/1min", "other", ""):
        for payload in (b"\xff\xfe", "-5", "1e300", "nan", "text"):
            if topic != "version":
                watch.take([reading.message(f"$SYS/broker/{topic}", payload)])
    watch.take([reading.message("broker/uptime", "5 seconds"), reading.message("$SYS/broker/version", b"\xff")])
    assert watch.figures == BrokerFigures()
    watch.take([reading.message("$SYS/broker/uptime", "120 seconds")])
    assert watch.figures.started_us == ARRIVAL_US - 2 * MINUTE_US
