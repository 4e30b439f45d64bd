import dataclasses

import pytest

from app.settings import Demo, Retention, Settings, SettingsFile
from models.domain.connection import Connection, Protocol
from models.domain.problems import EnvironmentProblem

FULL = Settings(
    Connection(
        scheme="wss", host="broker.example", port=8084, path="/mqtt", user="me", ca_file="/etc/ca.pem",
        protocol=Protocol.MQTT_311, filters=("a/#", "b/+"), keepalive_s=30, session_expiry_s=0, prefix="fleet",
    ),
    embedded=False,
    retention=Retention(gib=1.5, days=30),
    hidden_keys=("password", "pin"),
)  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "workspace" / "settings.toml"


def test_without_a_file_the_defaults_hold_and_none_is_made(path):
    assert SettingsFile(path).load() == Settings(None, True, Retention())
    assert not path.exists()


@pytest.mark.parametrize(
    "settings", [Settings(), FULL, Settings(Connection(), embedded=True), Settings(demo=Demo(12, 7.5, 2.0))]
)
def test_what_is_saved_is_loaded(path, settings):
    SettingsFile(path).save(settings)
    assert SettingsFile(path).load() == settings
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["settings.toml"]


def test_a_chosen_connection_replaces_the_embedded_broker(path):
    path.parent.mkdir()
    path.write_text('[connection]\nurl = "mqtt://broker.example"\n')
    settings = SettingsFile(path).load()
    assert settings.embedded is False
    assert settings.connection == Connection(host="broker.example")


def test_comments_order_and_unknown_keys_survive_saving(path):
    path.parent.mkdir()
    path.write_text(
        '# mine\n[window]\ntheme = "dark" # at night\n\n[connection]\n# the lab\nurl = "mqtt://lab" # old\nkeepalive_s = 5\nx = 1\n'
    )
    file = SettingsFile(path)
    file.save(dataclasses.replace(file.load(), connection=Connection(host="lab2")))
    text = path.read_text()
    for kept in ("# mine", 'theme = "dark" # at night', "# the lab", "x = 1", "mqtt://lab2"):
        assert kept in text
    assert "keepalive_s" not in text
    assert SettingsFile(path).load().connection == Connection(host="lab2")


@pytest.mark.parametrize(
    "text",
    [
        b'[connection]\nurl = "mqtt://ho',
        b"\xff\xfe",
        b"connection = 1",
        b"[connection]\nfilters = []\nurl = 'mqtt://h'",
        b"[connection]\nurl = 'mqtt://h'\nkeepalive_s = 'x'",
        b"[connection]\nurl = 'mqtt://h'\nprotocol = '4'",
        b"[connection]\nurl = 'mqtt://h'\nca_file = 3",
        b"[connection]\nurl = 'http://h'",
        b"[connection]\nhost = 'h'",
        b"[connection]\nurl = 'mqtt://me:hush@h'",
        b"[retention]\ngib = -1",
        b"[retention]\ndays = true",
        b"[embedded]\nenabled = 'yes'",
        b"[secrets]\nhidden_keys = 'pin'",
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_left_alone(path, text):
    path.parent.mkdir()
    path.write_bytes(text)
    with pytest.raises(EnvironmentProblem) as raised:
        SettingsFile(path).load()
    assert raised.value.problem.code == "settings.unreadable"
    assert str(path) in str(raised.value)
    assert "hush" not in str(raised.value)
    assert path.read_bytes() == text


def test_a_half_file_is_not_saved_over(path):
    path.parent.mkdir()
    path.write_text("[connection\n")
    with pytest.raises(EnvironmentProblem):
        SettingsFile(path).save(FULL)
    assert path.read_text() == "[connection\n"


def test_the_first_file_is_made_but_never_replaced(path):
    file = SettingsFile(path)
    assert file.create(FULL)
    assert not file.create(Settings())
    assert file.load() == FULL
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["settings.toml"]


def test_a_failed_save_leaves_the_old_file(path, monkeypatch):
    file = SettingsFile(path)
    file.save(FULL)
    before = path.read_bytes()

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.toml_file.os.fsync", full)
    with pytest.raises(EnvironmentProblem) as raised:
        file.save(Settings())
    assert raised.value.problem.code == "workspace.read-only"
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["settings.toml"]
