"""Secrets that agents publish: hidden before anything of a message reaches a disk. What is hidden cannot be had back.

Hidden are the values of keys that are on a list, wherever they stand: in JSON (and JSON inside its texts), in `key=value` and
`key: value` of texts and forms, in what Python prints of a dictionary, in MQTT 5 user properties; what follows `Bearer`; and
passwords in addresses. Numbers in JSON are never secrets here, and tokens that are counted are none. Of a payload that is no
text, as many bytes stay as there were. Whatever comes is looked through in a time that grows as its length does: the network
thread waits for it.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from models.domain.messages import Properties, RawMessage
from models.domain.secret_search import HIDDEN, MOST_KEYS, SecretSearch

__all__ = ["HIDDEN", "MOST_KEYS", "PLAIN_KEYS", "Masked", "Masking", "is_key"]

PLAIN_KEYS = (
    "password", "passwd", "passphrase", "secret", "client_secret", "token", "access_token", "refresh_token", "id_token",
    "api_key", "private_key", "authorization", "a2a-authorization", "credentials", "cookie",
)  # fmt: skip


LONGEST_KEY = 100
_KEY = re.compile(r"[A-Za-z0-9]+(?:[-_.]+[A-Za-z0-9]+)*")


def is_key(text: str) -> bool:
    """May it stand on the list?"""
    return len(text) <= LONGEST_KEY and _KEY.fullmatch(text) is not None


class Masked(NamedTuple):
    """In `hidden` of the messages something was hidden."""

    messages: list[RawMessage]
    hidden: int


class Masking:
    """Any thread; `use` takes effect with the next call of another."""

    def __init__(self, keys: Iterable[str] = PLAIN_KEYS) -> None:
        self._search = SecretSearch(keys)

    def use(self, keys: Iterable[str]) -> None:
        """From now on these; none: nothing is hidden."""
        self._search = SecretSearch(keys)

    def may_be_in(self, data: bytes) -> bool:
        """A quick look at any bytes, whole packets too: False is certain."""
        return self._search.may_be_in(data)

    def applied(self, messages: Sequence[RawMessage]) -> Masked:
        """The messages with everything hidden; those without a secret are the same objects."""
        search, count, found = self._search, 0, []
        for message in messages:
            masked = _applied(message, search)
            count += masked is not message
            found.append(masked)
        return Masked(found, count)


def _applied(message: RawMessage, search: SecretSearch) -> RawMessage:
    payload, properties = message.payload, message.properties
    hidden = search.hidden_in(payload)
    kept = properties
    if properties is not None and properties.user:
        user = tuple((key, _of_property(key, value, search)) for key, value in properties.user)
        if user != properties.user:
            kept = properties._replace(user=user)
    if hidden is payload and kept is properties:
        return message
    return message._replace(payload=hidden, properties=(kept or Properties())._replace(masked=True))


def _of_property(key: str, value: str, search: SecretSearch) -> str:
    if search.is_name(key):
        return HIDDEN.decode()
    return search.hidden_in(value.encode()).decode("utf-8", "replace")
