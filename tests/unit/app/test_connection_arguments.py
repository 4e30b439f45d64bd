import argparse

import keyring
import pytest

from app.cli.connection_arguments import add_connection_arguments, connection_from
from models.domain.problems import EnvironmentProblem
from tests.helpers import keyring_file


@pytest.fixture(autouse=True)
def no_password(monkeypatch):
    monkeypatch.delenv("MURMURSCOPE_PASSWORD", raising=False)


def read(*argv):
    parser = argparse.ArgumentParser()
    add_connection_arguments(parser, required=False)
    return connection_from(parser.parse_args(argv))


def test_no_broker_is_no_connection():
    assert read() is None


def test_password_of_the_file_wins_over_the_environment(tmp_path, monkeypatch):
    (tmp_path / "secret").write_text(" with spaces \n")
    monkeypatch.setenv("MURMURSCOPE_PASSWORD", "other")
    connection, secret = read("--broker", "mqtts://me@host", "--password-file", str(tmp_path / "secret"))
    assert (connection.url, secret.value) == ("mqtts://me@host:8883", " with spaces ")
    _, secret = read("--broker", "host")
    assert secret.value == "other"


def test_password_in_the_address_is_taken_with_a_warning(capsys):
    connection, secret = read("--broker", "mqtt://me:hush@host")
    assert secret.value == "hush"
    assert connection.url == "mqtt://me@host:1883"
    warned = capsys.readouterr().err
    assert "--password-file" in warned
    assert "hush" not in warned


def test_files_become_absolute_and_must_be_readable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").write_text("x")
    connection, _ = read("--broker", "mqtts://host", "--cafile", "ca.pem")
    assert connection.ca_file == str(tmp_path / "ca.pem")
    for option, code in (("--cert", "broker.tls-file"), ("--password-file", "file.unusable")):
        with pytest.raises(EnvironmentProblem) as raised:
            read("--broker", "mqtts://host", option, "absent")
        assert raised.value.problem.code == code
        assert "No such file" in str(raised.value)


def test_without_any_other_the_keyring_is_asked_for_a_named_user(tmp_path, monkeypatch, capsys):
    for name, value in keyring_file.variables(tmp_path / "keyring.json").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    (tmp_path / "keyring.json").write_text('{"murmurscope mqtt://me@host:1883": "kept"}')
    assert read("--broker", "mqtt://me@host")[1].value == "kept"
    assert read("--broker", "mqtt://you@host")[1] is None
    monkeypatch.setenv("MURMURSCOPE_PASSWORD", "told")
    assert read("--broker", "mqtt://me@host")[1].value == "told"
    monkeypatch.delenv("MURMURSCOPE_PASSWORD")
    (tmp_path / "keyring.json").write_text('{"locked": true}')
    assert read("--broker", "mqtt://me@host")[1] is None
    assert "The keyring did not do it" in capsys.readouterr().err
