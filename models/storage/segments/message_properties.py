"""MQTT 5 properties of a message as the compact JSON of `segment.Message.properties`, both ways.

Keys: content_type, response_topic, correlation (base64), expiry_s, user (pairs in the publisher's order), masked (ours: a secret was
hidden); absent ones left out.
"""

import base64
import json

from models.domain.messages import Properties


def encode(properties: Properties | None) -> str | None:
    """None where there is nothing to keep."""
    if properties is None or properties == Properties():
        return None
    found: dict[str, object] = {
        "content_type": properties.content_type,
        "response_topic": properties.response_topic,
        "correlation": None if properties.correlation is None else base64.b64encode(properties.correlation).decode(),
        "expiry_s": properties.expiry_s,
        "user": [list(pair) for pair in properties.user] or None,
        "masked": properties.masked or None,
    }
    kept = {key: value for key, value in found.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def decode(text: str | None) -> Properties | None:
    """The opposite. Raises `ValueError` where `text` is not such JSON."""
    if not text:
        return None
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("properties are no object")  # noqa: TRY004 - the text is wrong, not its type
    correlation = found.get("correlation")
    return Properties(
        content_type=found.get("content_type"),
        response_topic=found.get("response_topic"),
        correlation=None if correlation is None else base64.b64decode(correlation),
        expiry_s=found.get("expiry_s"),
        user=tuple((key, value) for key, value in found.get("user", ())),
        masked=found.get("masked") is True,
    )
