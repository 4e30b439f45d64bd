"""Secrets that agents publish, through the real recorder: on no disk, not even in the journal of one that was killed."""

import pytest

from app.settings import Settings, SettingsFile
from tests.helpers.recording import payload_of
from tests.helpers.strict_broker import StrictBroker

pytestmark = pytest.mark.services

CANARY = b"canary-7f3a"
KEYS = ("password", "pin")


@pytest.mark.parametrize("speaks_5", [True, False])
def test_a_secret_is_on_no_disk(recording, speaks_5):
    SettingsFile(recording.workspace.settings).save(Settings(hidden_keys=KEYS))
    sent = [(b"login/a", b'{"n":%d,"db_password":"%s","token":"seen"}' % (number, CANARY)) for number in range(400)]
    with StrictBroker(20, sent, speaks_5=speaks_5) as broker:
        recording.start("--broker", broker.url)
        broker.wait_until_acknowledged(200)
        recording.kill()
        held = [path for path in recording.workspace.root.rglob("*") if path.is_file()]
        assert any("journal" in path.name for path in held)
        assert [path for path in held if CANARY in path.read_bytes()] == []
        recording.start("--broker", broker.url)
        broker.wait_until_acknowledged(len(sent))
        assert recording.stop() == 0
    rows = [row for row in recording.export("messages") if row["topic"] == "login/a"]
    assert [payload_of(row) for row in rows] == [
        b'{"n":%d,"db_password":"***","token":"seen"}' % number for number in range(400)
    ]
