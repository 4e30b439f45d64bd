import threading

import keyring
import pytest
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as FailKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import KeyringLocked

from app.password_store import PasswordStore, find_keyring
from models.domain.connection import Secret
from models.domain.problems import EnvironmentProblem
from tests.helpers.poll import until

URL = "mqtts://me@broker.example:8883"


class Memory:
    def __init__(self):
        self.held = {}

    def get_password(self, service, username):
        return self.held.get((service, username))

    def set_password(self, service, username, password):
        self.held[service, username] = password

    def delete_password(self, service, username):
        del self.held[service, username]


def code_of(action):
    with pytest.raises(EnvironmentProblem) as told:
        action()
    return told.value.problem.code


def test_keeps_changes_and_forgets_by_address():
    memory = Memory()
    store = PasswordStore(5, lambda: memory)
    assert store.get(URL) is None
    store.put(URL, Secret("one"))
    store.put(URL, Secret("two"))
    assert memory.held == {("murmurscope", URL): "two"}
    assert store.get(URL) == Secret("two")
    store.remove(URL)
    store.remove(URL)
    assert memory.held == {}


def test_what_a_locked_one_says_is_told_without_the_password(caplog):
    class Locked(Memory):
        def set_password(self, service, username, password):
            raise KeyringLocked(f"cannot store {password}!")

    with pytest.raises(EnvironmentProblem) as told:
        PasswordStore(5, Locked).put(URL, Secret("canary"))
    assert told.value.problem.code == "keyring.refused"
    assert "cannot store ***" in str(told.value)
    assert "canary" not in str(told.value) + caplog.text


def test_one_that_does_not_answer_is_given_up_and_not_asked_twice_at_once():
    answer = threading.Event()

    class Slow(Memory):
        def get_password(self, service, username):
            answer.wait(30)
            return "late"

    store = PasswordStore(0.05, Slow)
    assert code_of(lambda: store.get(URL)) == "keyring.silent"
    before = threading.active_count()
    assert code_of(lambda: store.get(URL)) == "keyring.silent"
    assert threading.active_count() == before
    answer.set()
    until(lambda: not store._asking.is_alive(), "it has answered at last")
    assert store.get(URL) == Secret("late")


def one_from(module, name="Keyring"):
    return type(name, (Memory,), {"__module__": module})()


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (FailKeyring(), "no program of this computer offers one"),
        (NullKeyring(), "no program of this computer offers one"),
        (one_from("keyrings.alt.file", "PlaintextKeyring"), "keyrings.alt.file would write them to a file"),
        (one_from("keyrings.alt.file", "EncryptedKeyring"), "keyrings.alt.file would write them to a file"),
        (one_from("somebody.else", "PlaintextStore"), "no program of this computer offers one"),
    ],
)
def test_what_would_write_passwords_to_a_file_is_no_keyring(found, says, monkeypatch):
    monkeypatch.setattr(keyring, "get_keyring", lambda: found)
    with pytest.raises(EnvironmentProblem) as told:
        find_keyring()
    assert told.value.problem.code == "keyring.none"
    assert says in str(told.value)


def test_of_several_the_safe_one_is_taken_and_never_the_chain(monkeypatch):
    safe, unsafe = one_from("keyring.backends.SecretService"), one_from("keyrings.alt.file", "PlaintextKeyring")

    class Chain(ChainerBackend):
        backends = [unsafe, safe]

    Chain.__module__ = "keyring.backends.chainer"
    monkeypatch.setattr(keyring, "get_keyring", Chain)
    assert find_keyring() is safe
    Chain.backends = [unsafe]
    assert code_of(find_keyring) == "keyring.none"


def test_a_set_up_that_names_nothing_there_is_is_told(monkeypatch):
    def broken():
        raise ModuleNotFoundError("No module named 'gone'")

    monkeypatch.setattr(keyring, "get_keyring", broken)
    assert code_of(find_keyring) == "keyring.none"


def test_the_tests_ask_nobodys_own_keyring():
    assert isinstance(keyring.get_keyring(), FailKeyring)
