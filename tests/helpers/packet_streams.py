"""Streams of MQTT packets as a broker may send them, and broken ones; from a seed, so that each can be made again."""

import random
from collections.abc import Iterator

from tests.helpers.fake_broker import PINGRESP, PUBACK, PUBLISH, SUBACK, packet, variable_length

_SIZES = (0, 1, 2, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 16_370, 16_380, 16_384)
_ALPHABET = "abcdefghij/ äß€😀+#$"


class Streams:
    """A generator of one seed. `version_5` changes with each stream."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.version_5 = False

    def valid(self, packets: int) -> bytes:
        """Messages, with a few other packets that change nothing."""
        self.version_5 = not self.version_5
        return b"".join(self._packet() for _ in range(packets))

    def broken(self, packets: int) -> bytes:
        """As `valid`, with one packet damaged at a random place; what follows may or may not be readable again."""
        self.version_5 = not self.version_5
        at = self.random.randrange(packets)
        return b"".join(self._damaged(self._packet()) if one == at else self._packet() for one in range(packets))

    def garbage(self, size: int) -> bytes:
        """Bytes without a plan, most of which begin a PUBLISH."""
        self.version_5 = not self.version_5
        return b"".join(
            bytes([0x30 | self.random.randrange(16)]) * (self.random.random() < 0.5)
            + self.random.randbytes(self.random.randrange(1, 30))
            for _ in range(size // 20 + 1)
        )

    def cuts(self, data: bytes) -> Iterator[bytes]:
        """The stream in pieces of random sizes: single bytes, small and large ones."""
        largest, at = self.random.choice((1, 7, 40, 300, 5_000, len(data) + 1)), 0
        if len(data) > 5_000:
            largest = max(largest, 300)
        while at < len(data):
            size = self.random.randint(1, largest)
            yield data[at : at + size]
            at += size

    def _packet(self) -> bytes:
        chance = self.random.random()
        if chance < 0.94:
            return self._publish()
        none = b"\x00" if self.version_5 else b""
        return self.random.choice(
            (packet(PINGRESP, 0, b""), packet(SUBACK, 0, b"\x00\x01" + none + b"\x01"), packet(PUBACK, 0, b"\xff\xf0"))
        )

    def _publish(self) -> bytes:
        rnd = self.random
        topic = self._text(rnd.randint(1, 30)).encode() if rnd.random() < 0.9 else rnd.randbytes(rnd.randint(1, 40))
        qos = rnd.randrange(2)
        flags = rnd.choice((0, 0, 0, 1, 8, 9)) | qos << 1
        body = len(topic).to_bytes(2, "big") + topic + (rnd.randint(1, 65_535).to_bytes(2, "big") if qos else b"")
        if self.version_5:
            properties = self._properties() if rnd.random() < 0.4 else b""
            body += variable_length(len(properties)) + properties
        size = rnd.randrange(300)
        if rnd.random() < 0.05:
            size = rnd.choice(_SIZES) if rnd.random() < 0.9 else rnd.randrange(70_000)
        return packet(PUBLISH, flags, body + rnd.randbytes(size))

    def _properties(self) -> bytes:
        rnd = self.random
        every = [
            b"\x01" + bytes([rnd.randrange(2)]),
            b"\x02" + rnd.randbytes(4),
            b"\x03" + self._string(),
            b"\x08" + self._string(),
            b"\x09" + self._bytes(rnd.randbytes(rnd.randrange(20))),
            b"\x0b" + variable_length(rnd.choice((1, 127, 128, 268_435_455))),
            b"\x0b\x05",
            *(b"\x26" + self._string() + self._string() for _ in range(3)),
        ]
        return b"".join(rnd.sample(every, rnd.randint(1, len(every))))

    def _string(self) -> bytes:
        return self._bytes(self._text(self.random.randrange(40)).encode())

    @staticmethod
    def _bytes(data: bytes) -> bytes:
        return len(data).to_bytes(2, "big") + data

    def _text(self, length: int) -> str:
        return "".join(self.random.choices(_ALPHABET, k=length))

    def _damaged(self, data: bytes) -> bytes:
        rnd = self.random
        one = bytearray(data)
        at = rnd.randrange(min(len(one), 60))
        kind = rnd.randrange(6)
        if kind == 0:
            one[at] ^= 1 << rnd.randrange(8)
        elif kind == 1:
            one[at] = rnd.randrange(256)
        elif kind == 2:
            del one[at : at + rnd.randint(1, 4)]
        elif kind == 3:
            one[at:at] = rnd.randbytes(rnd.randint(1, 4))
        elif kind == 4:
            one[1:2] = rnd.choice((b"\xff\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x80\x01", b"\x00", b"\x01", b"\x02"))
        else:
            one[2:4] = rnd.choice((b"\xff\xff", b"\x00\x00", b"\x01\x00"))
        return bytes(one)
