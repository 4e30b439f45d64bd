"""`templates.toml` of a workspace: messages that people keep to publish them again.

People may edit the file: comments and keys we do not know are kept. A file that cannot be read is never written over.
"""

import base64
import binascii
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT

from app.toml_file import TomlFile
from models.domain.messages import Properties
from models.domain.publishing import OutgoingMessage, Template

_TABLE = "template"


class TemplatesFile:
    """Reads and replaces one file. One thread at a time.

    Every method raises `EnvironmentProblem` "settings.unreadable"; those that write, "workspace.read-only".
    """

    def __init__(self, path: Path) -> None:
        self._file = TomlFile(path, "Messages to publish again. Secrets do not belong here.")

    def load(self) -> list[Template]:
        """In the order of the file. What must not be published is told when somebody publishes it, not here."""
        return [self._template(entry) for entry in self._entries(self._file.read()).unwrap()]

    def save(self, template: Template) -> list[Template]:
        """Keep it, in place of one of the same name; answers all there are now."""
        self.load()  # what cannot be read is not written over
        document = self._file.read()
        entries = self._entries(document)
        before = self._place(entries, template.name)
        if before < 0:
            entries.append(tomlkit.table())
        _fill(entries[before], template)
        self._file.write(document)
        return self.load()

    def delete(self, name: str) -> list[Template]:
        """Forget it; answers all that are left."""
        self.load()
        document = self._file.read()
        entries = self._entries(document)
        place = self._place(entries, name)
        if place >= 0:
            del entries[place]
            if not entries:
                document.remove(_TABLE)
            self._file.write(document)
        return self.load()

    def _entries(self, document: tomlkit.TOMLDocument) -> AoT:
        if _TABLE not in document:
            document.add(_TABLE, tomlkit.aot())
        entries = document[_TABLE]
        if not isinstance(entries, AoT):
            raise self._file.unreadable(f"its templates are not written as [[{_TABLE}]]")
        return entries

    @staticmethod
    def _place(entries: AoT, name: str) -> int:
        names = [entry.get("name") for entry in entries.unwrap()]
        return names.index(name) if name in names else -1

    def _template(self, entry: dict[str, Any]) -> Template:
        name, topic = (self._text(entry, key, needed=True) for key in ("name", "topic"))
        qos, retain = entry.get("qos", 1), entry.get("retain", False)
        if isinstance(qos, bool) or qos not in (0, 1):
            raise self._file.unreadable(f"qos of template “{name}” is neither 0 nor 1")
        if not isinstance(retain, bool):
            raise self._file.unreadable(f"retain of template “{name}” is neither true nor false")
        payload = self._text(entry, "payload").encode()
        if "payload_base64" in entry:
            payload = self._bytes(entry, "payload_base64")
        properties = Properties(
            self._text(entry, "content_type") or None, self._text(entry, "response_topic") or None,
            self._bytes(entry, "correlation_base64") or None, None, self._pairs(entry),
        )  # fmt: skip
        kept = None if properties == Properties() else properties
        return Template(name, OutgoingMessage(topic, payload, int(qos), retain, kept))

    def _text(self, entry: dict[str, Any], key: str, *, needed: bool = False) -> str:
        text = entry.get(key, "")
        if not isinstance(text, str):
            raise self._file.unreadable(f"{key} of a template is not text")
        if needed and not text:
            raise self._file.unreadable(f"a template has no {key}")
        return text

    def _bytes(self, entry: dict[str, Any], key: str) -> bytes:
        try:
            return base64.b64decode(self._text(entry, key), validate=True)
        except binascii.Error as error:
            raise self._file.unreadable(f"{key} of a template is not base64") from error

    def _pairs(self, entry: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        pairs = entry.get("user_properties", [])
        good = isinstance(pairs, list) and all(
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in pairs
        )
        if not good:
            raise self._file.unreadable("user_properties of a template is not a list of pairs of texts")
        return tuple((name, value) for name, value in pairs)


def _fill(table: Any, template: Template) -> None:
    """Set what differs from the defaults; what is back at its default goes."""
    message = template.message
    properties = message.properties or Properties()
    values: dict[str, Any] = {
        "name": template.name, "topic": message.topic, **_payload(message.payload), "qos": message.qos,
        "retain": message.retain, "content_type": properties.content_type, "response_topic": properties.response_topic,
        "correlation_base64": base64.b64encode(properties.correlation or b"").decode(),
        "user_properties": [list(pair) for pair in properties.user],
    }  # fmt: skip
    for key in ("payload", "payload_base64", *values):
        value = values.get(key)
        if value or key == "qos":
            if table.get(key) != value:
                table[key] = value
        else:
            table.pop(key, None)


def _payload(payload: bytes) -> dict[str, Any]:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return {"payload_base64": base64.b64encode(payload).decode()}
    lines = "\n" in text and "\r" not in text  # the line ends of a file are all one to whoever reads it
    return {"payload": tomlkit.string(text, multiline=lines)}
