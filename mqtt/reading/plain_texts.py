"""Payloads that are readable and hold nothing to record: a word for a state, what a program says of itself, a picture.

Nobody has to teach them, though everybody may; a sentence, a list of numbers or bytes of another kind may hold figures.
"""

import re

_WORD = re.compile(
    r"#?[^\W\d_][\w.:/@+-]{0,39}|#[0-9A-Fa-f]{3,8}"  # ON, moving, not_home, zigbee2mqtt/bulb, v1.2
    r"|\d+(\.\d+){2,3}([-+][\w.]+)?"  # a version, an address
    r"|([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"
    r"|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?|\d{1,2}:\d\d(:\d\d)?"
)
_OF_ITSELF = re.compile(
    rb"(^|_)(\w*version|firmware|fw|ip|ip_?address|ssid|mac|serial|model|manufacturer|vendor|url|icon|title|label|description"
    rb"|(friendly_?)?name|\w*title|\w*name|mode|timezone|build)$",
    re.IGNORECASE,
)
LONGEST_NAME = 64
"""Bytes of a topic's last level that are looked at."""
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"RIFF")


def holds_nothing(text: str, topic: bytes) -> bool:
    """Whether a text that is no figure, time, presence or log record is only a word, or what somebody says of itself."""
    return _WORD.fullmatch(text) is not None or _OF_ITSELF.search(topic.rpartition(b"/")[2][-LONGEST_NAME:]) is not None


def is_picture(payload: bytes) -> bool:
    """Whether bytes are a picture, or a recording, by how they begin."""
    return payload.startswith(_PICTURES)
