"""Payloads as people and their devices publish them, a few lines of each: exactly these agents and series, logs and failures."""

import pytest

from tests.helpers.home_made import Case
from tests.helpers.reading import ARRIVAL_US

S = ARRIVAL_US / 1_000_000

CASES = {
    "a MAC behind gateways": Case(
        [("home/TheengsGateway/BTtoMQTT/A4C138AABBCC", {"rssi": -60, "id": "A4:C1:38:AA:BB:CC"})],
        {("A4C138AABBCC", "rssi")},
    ),
    "rooms": Case([("espresense/rooms/kitchen/telemetry", {"uptime": 5})], {("kitchen", "uptime")}),
    "places of a device": Case(
        [("zwave/hall/lamp/38/0/currentValue", {"value": 99})], {("hall/lamp", "38.0.currentValue")}
    ),
    "tasks of a worker": Case(
        [
            ("workers/w-1/tasks/t1/progress", "50"),
            ("workers/w-1/tasks/t2/progress", "60"),
            ("workers/w-1/tasks/new", {"task_id": "t3"}),
        ],
        {("w-1", "tasks.progress")},
    ),
    "a heartbeat of Celery": Case(
        [
            (
                "celery/worker-1@host/heartbeat",
                {"hostname": "worker-1@host", "timestamp": S, "active": 2, "loadavg": [0.1]},
            )
        ],
        {("worker-1@host", "active")},
    ),
    "slashes around": Case(
        [("/robot1/odom", {"x": 1}), ("robot1/temp/", "5")], {("robot1", "odom.x"), ("robot1", "temp")}
    ),
    "ci runners": Case(
        [
            ("ci/runner-1/status", "idle"),
            ("ci/runner-1/job", {"job_id": "991", "state": "running", "repo": "a/b"}),
            ("ci/runner-1/load", {"load1": 0.5, "load5": 0.4}),
            ("ci/runner-1/job", {"job_id": "991", "state": "success", "duration_s": 12.5}),
            ("ci/runner-2/status", "offline"),
        ],
        {("runner-1", "load.load1"), ("runner-1", "load.load5")},
        {"runner-1", "runner-2"},
    ),
    "trading bots": Case(
        [
            ("bots/momentum/pnl", "12.5"),
            ("bots/momentum/position", {"symbol": "BTC", "qty": 0.5, "entry": 41000.0}),
            ("bots/arb/pnl", "-3"),
            ("bots/arb/heartbeat", {"ts": S}),
        ],
        {("momentum", "pnl"), ("momentum", "position.qty"), ("momentum", "position.entry"), ("arb", "pnl")},
    ),
    "scrapers one topic": Case(
        [
            ("scraper/events", {"worker": f"w-{i}", "event": "page", "url": "http://x/", "status": 200, "ms": 120})
            for i in (1, 2)
        ],
        {("w-1", "ms"), ("w-2", "ms"), ("w-1", "status"), ("w-2", "status")},
    ),
    "game server": Case(
        [
            ("games/eu-1/players", "12"),
            ("games/eu-1/tick_ms", "16.6"),
            ("games/eu-1/map", "desert"),
            ("games/eu-2/players", "3"),
        ],
        {("eu-1", "players"), ("eu-1", "tick_ms"), ("eu-2", "players")},
    ),
    "drone": Case(
        [
            ("drone/alpha/gps", {"lat": 52.1, "lon": 21.0, "alt": 120.5, "fix": 3}),
            ("drone/alpha/battery", {"voltage": 15.2, "pct": 80}),
            ("drone/alpha/mode", "AUTO"),
            ("drone/alpha/armed", "true"),
        ],
        {
            ("alpha", "gps.lat"),
            ("alpha", "gps.lon"),
            ("alpha", "gps.alt"),
            ("alpha", "gps.fix"),
            ("alpha", "battery.voltage"),
            ("alpha", "battery.pct"),
        },
    ),
    "numeric device ids": Case(
        [("device/1001/data", {"t": 21.5, "rssi": -60}), ("device/1002/data", {"t": 22.5, "rssi": -61})],
        {("1001", "t"), ("1001", "rssi"), ("1002", "t"), ("1002", "rssi")},
    ),
    "mac ids": Case(
        [("sensors/A4CF12B1D2E3/temp", "21.5"), ("sensors/A4CF12B1D2E4/temp", "22.5")],
        {("A4CF12B1D2E3", "temp"), ("A4CF12B1D2E4", "temp")},
    ),
    "mac with colons": Case(
        [("ble/a4:cf:12:b1:d2:e3", {"rssi": -60, "temp": 21.5})],
        {("a4:cf:12:b1:d2:e3", "rssi"), ("a4:cf:12:b1:d2:e3", "temp")},
    ),
    "tenant": Case(
        [("acme/eu/factory1/line2/press-3/telemetry", {"pressure_bar": 5.5, "cycles_total": 120})],
        {("press-3", "pressure_bar"), ("press-3", "cycles_total")},
    ),
    "units in keys": Case(
        [
            (
                "box-1/env",
                {"temp_c": 21.5, "humidity_pct": 40, "pressure_hpa": 1013, "uptimeMs": 12000, "freeHeapBytes": 40000},
            )
        ],
        {
            ("box-1", "env.temp_c"),
            ("box-1", "env.humidity_pct"),
            ("box-1", "env.pressure_hpa"),
            ("box-1", "env.uptimeMs"),
            ("box-1", "env.freeHeapBytes"),
        },
    ),
    "esphome-like bare": Case(
        [
            ("livingroom-esp/sensor/temperature/state", "21.5"),
            ("livingroom-esp/binary_sensor/motion/state", "ON"),
            ("livingroom-esp/status", "online"),
        ],
        {("livingroom-esp", "temperature")},
    ),
    "prusa": Case(
        [
            ("prusa/mk4/telemetry", {"temp-bed": 60.1, "temp-nozzle": 215.0, "progress": 12.0}),
            ("prusa/mk4/state", "PRINTING"),
        ],
        {("mk4", "temp-bed"), ("mk4", "temp-nozzle"), ("mk4", "progress")},
    ),
    "bambu": Case(
        [
            (
                "device/01S00A000000001/report",
                {
                    "print": {
                        "nozzle_temper": 215.0,
                        "bed_temper": 60.0,
                        "mc_percent": 12,
                        "sequence_id": "5",
                        "command": "push_status",
                        "msg": 0,
                    }
                },
            )
        ],
        {
            ("01S00A000000001", "print.nozzle_temper"),
            ("01S00A000000001", "print.bed_temper"),
            ("01S00A000000001", "print.mc_percent"),
            ("01S00A000000001", "print.msg"),
        },
    ),
    "ttn": Case(
        [
            (
                "v3/app@ttn/devices/eui-70b3d57ed0001/up",
                {
                    "end_device_ids": {"device_id": "eui-70b3d57ed0001", "application_ids": {"application_id": "app"}},
                    "received_at": "2026-11-23T07:47:30Z",
                    "uplink_message": {
                        "f_port": 1,
                        "f_cnt": 12,
                        "frm_payload": "AQ==",
                        "decoded_payload": {"temp": 21.5},
                        "rx_metadata": [{"rssi": -60}],
                        "settings": {"frequency": "868100000"},
                    },
                },
            )
        ],
        {
            ("eui-70b3d57ed0001", "up.uplink_message.f_port"),
            ("eui-70b3d57ed0001", "up.uplink_message.f_cnt"),
            ("eui-70b3d57ed0001", "up.uplink_message.decoded_payload.temp"),
            ("eui-70b3d57ed0001", "up.uplink_message.settings.frequency"),
        },
    ),
    "chirpstack": Case(
        [
            (
                "application/1/device/70b3d57ed0001234/event/up",
                {
                    "deviceInfo": {"deviceName": "t-1", "devEui": "70b3d57ed0001234"},
                    "fCnt": 5,
                    "object": {"temp": 21.5},
                },
            )
        ],
        {("70b3d57ed0001234", "up.fCnt"), ("70b3d57ed0001234", "up.object.temp")},
    ),
    "cpu json arr": Case([("hosts/web01/cpu", [12.5, 13.0, 9.0])], set(), agents=set(), unread=("shape",)),
    "csv": Case([("logger/box-2/csv", "21.5,40.1,1013")], set(), agents=set(), unread=("text",)),
    "kv": Case([("logger/box-2/kv", "temp=21.5;hum=40")], set(), agents=set(), unread=("text",)),
    "bool words": Case([("plant/valve-1/open", "true"), ("plant/valve-1/flow", "12.5")], {("valve-1", "flow")}),
    "null": Case([("plant/valve-1/state", {"flow": None, "open": True})], set(), agents=set()),
    "events words": Case(
        [
            ("lab/mixer-1/events", {"event": "started", "ts": S}),
            ("lab/mixer-1/events", {"event": "error", "code": 12, "ts": S}),
        ],
        {("mixer-1", "code")},
    ),
    "service lwt json": Case(
        [
            ("svc/auth/health", {"status": "healthy", "checks": {"db": "ok", "cache": "ok"}, "uptime_seconds": 55}),
            ("svc/auth/health", {"status": "unhealthy", "checks": {"db": "down"}, "uptime_seconds": 56}),
        ],
        {("auth", "uptime_seconds")},
    ),
    "k8s pods": Case(
        [("k8s/prod/payment-7c9d5b6f4-x2x9z/metrics", {"cpu_millicores": 120, "memory_mib": 210})],
        {("payment-7c9d5b6f4-x2x9z", "cpu_millicores"), ("payment-7c9d5b6f4-x2x9z", "memory_mib")},
    ),
    "location nested": Case(
        [("home/floor1/kitchen/fridge/temp", "4.5"), ("home/floor1/kitchen/fridge/door", "closed")],
        {("floor1/kitchen/fridge", "temp")},
    ),
    "two sensors same room": Case(
        [("home/kitchen/temperature", "21"), ("home/kitchen/humidity", "40"), ("home/bath/temperature", "22")],
        {("kitchen", "temperature"), ("kitchen", "humidity"), ("bath", "temperature")},
    ),
    "agent in payload, fixed topic": Case(
        [
            ("mesh/telemetry", {"agentId": "crawler", "metrics": {"cpu": 5, "mem": {"rss": 10}}}),
            ("mesh/telemetry", {"agentId": "writer", "metrics": {"cpu": 6}}),
        ],
        {("crawler", "metrics.cpu"), ("crawler", "metrics.mem.rss"), ("writer", "metrics.cpu")},
    ),
    "sender key": Case(
        [("bus", {"sender": "s-1", "temp": 5}), ("bus", {"sender": "s-2", "temp": 6})],
        {("s-1", "temp"), ("s-2", "temp")},
    ),
    "log plain": Case(
        [("svc/mail/stdout", "server listening on 25"), ("svc/mail/stderr", "Error: refused")],
        set(),
        agents={"mail"},
        logs=2,
    ),
    "log array": Case(
        [("svc/mail/logs", [{"level": "info", "msg": "a"}, {"level": "error", "msg": "b"}])],
        set(),
        agents={"mail"},
        logs=2,
    ),
    "log batch obj": Case(
        [("svc/mail/logs", {"logs": [{"level": "info", "msg": "a"}, {"level": "error", "msg": "b"}]})],
        set(),
        agents={"mail"},
        logs=2,
    ),
    "log ndjson": Case(
        [("svc/mail/logs", '{"level":"info","msg":"a"}\n{"level":"error","msg":"b"}\n')],
        set(),
        agents={"mail"},
        logs=2,
    ),
    "status text long": Case(
        [("workers/w-9/status", "processing batch 12 of 40")], set(), agents=set(), unread=("text",)
    ),
    "progress": Case([("workers/w-9/progress", "45%"), ("workers/w-9/eta", "00:12:30")], {("w-9", "progress")}),
    "hex colour": Case(
        [("lamps/l-1/color", "#ffaa00"), ("lamps/l-1/power", "ON"), ("lamps/l-1/bri", "120")],
        {("l-1", "bri")},
    ),
    "json string num": Case([("s/x-1/v", '"12.5"')], {("x-1", "v")}),
    "comma decimal": Case([("s/x-1/v", "12,5")], set(), agents=set(), unread=("text",)),
    "inf json": Case([("s/x-1/v", '{"a": Infinity, "b": 2}')], {("x-1", "v.b")}),
    "snake status keys": Case(
        [("s/x-1/info", {"wifi_status": "connected", "mqtt_status": "connected", "rssi": -55})],
        {("x-1", "rssi")},
    ),
    "retained config": Case([("s/x-1/config", {"interval": 30, "name": "x"})], set(), agents=set()),
    "set commands": Case(
        [("s/x-1/relay/set", "ON"), ("s/x-1/speed/set", "50"), ("cmnd/x-1/power", "ON")],
        set(),
        agents=set(),
    ),
    "telemetry names w/ spaces": Case([("Factory Hall/Press 2/Temperature", "41.5")], {("Press 2", "Temperature")}),
    "dollar root": Case([("$internal/x", "5")], set(), agents=set()),
    "agents w/ uuid": Case(
        [("agent/5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11/metrics", {"cpu": 5})],
        {("5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11", "cpu")},
    ),
    "sessions": Case(
        [
            ("ai/chatbot/sessions/5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11/tokens", "120"),
            ("ai/chatbot/sessions/6f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c12/tokens", "130"),
        ],
        {("chatbot", "sessions.tokens")},
    ),
    "request time": Case(
        [("svc/search/requests", {"path": "/q", "status": 200, "duration_ms": 35}), ("svc/search/errors", "3")],
        {("search", "requests.status"), ("search", "requests.duration_ms"), ("search", "errors")},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_exactly_what_it_holds(name: str) -> None:
    CASES[name].check()
