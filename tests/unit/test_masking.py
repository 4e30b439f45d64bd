import json
import random
import string

import pytest

from models.domain.masking import PLAIN_KEYS, Masking
from models.domain.messages import Origin, Properties, RawMessage


def message(payload: bytes, properties: Properties | None = None) -> RawMessage:
    return RawMessage(b"t", payload, 0, False, False, 0, properties, 1, Origin.LIVE, 1)


def hidden(payload: bytes, keys: tuple[str, ...] = PLAIN_KEYS) -> bytes:
    return Masking(keys).applied([message(payload)]).messages[0].payload


@pytest.mark.parametrize(
    ("payload", "stored"),
    [
        (b'{"password":"hunter2","cpu":3}', b'{"password":"***","cpu":3}'),
        (b'{"Password" : "a\\"b\\\\","x":1}', b'{"Password" : "***","x":1}'),
        (b'{"db_password":"x","apiKey":"y","API-KEY":"z"}', b'{"db_password":"***","apiKey":"***","API-KEY":"***"}'),
        (b'{"a":{"token":["x",{"y":"]"}],"b":1}}', b'{"a":{"token":"***","b":1}}'),
        (b'{"credentials":{"user":"u","pw":"p"},"n":1}', b'{"credentials":"***","n":1}'),
        (b'{"log":"{\\"token\\":\\"abc\\",\\"n\\":1}"}', b'{"log":"{\\"token\\":\\"***\\",\\"n\\":1}"}'),
        (b'{"token":"cut off', b'{"token":"***"'),
        (b'{"message":"login password=hunter2, retry"}', b'{"message":"login password=***, retry"}'),
        (b"GET / Authorization: Bearer abc.def", b"GET / Authorization: Bearer ***"),
        (b'"mqtts://fleet:hunter2@broker:8883/x"', b'"mqtts://fleet:***@broker:8883/x"'),
        (b'{"mqttPassword":"x","botToken":"y"}', b'{"mqttPassword":"***","botToken":"***"}'),
        (b'{"message":"password=hunter2"}', b'{"message":"password=***"}'),
        (b'level=info db_password="hunter 2" n=1', b'level=info db_password="***" n=1'),
        (b'{"m":"token=\\"a b\\" or password=\'c d\'"}', b'{"m":"token=\\"***\\" or password=\'***\'"}'),
        (
            b'{"log":"{\\"credentials\\":{\\"pw\\":\\"x}\\"},\\"n\\":1}"}',
            b'{"log":"{\\"credentials\\":\\"***\\",\\"n\\":1}"}',
        ),
        (b'{"log":"{\\"token\\":\\"cut","n":1}', b'{"log":"{\\"token\\":\\"***\\"","n":1}'),
        (b'{"log":"{\\"token\\":[\\"cut","n":1}', b'{"log":"{\\"token\\":\\"***\\"","n":1}'),
        ('{"token":"zażółć","é":"ł"}'.encode(), '{"token":"***","é":"ł"}'.encode()),
    ],
)
def test_secrets_are_hidden(payload: bytes, stored: bytes) -> None:
    assert hidden(payload) == stored
    assert Masking().may_be_in(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"tokens":3,"token":17,"prompt_tokens":5}', b'{"secretary":"Ann"}', b'{"level":"info","message":"no password given"}',
        b"http://host/a@b", b"21.5", b"", b'\x00\x01"password":"x"', b'{"passwords":"x"}',
        b'{"m":"token=","n":["password=", "password="]}', b'{"log":"{\\"m\\":\\"token=\\",\\"n\\":\\"password=\\"}"}',
        b'{"maxtoken":"x","compass":"y"}', b'{"_meta":{"progressToken":"abc"},"nextPageToken":"x","page_token":"y"}',
    ],
)  # fmt: skip
def test_what_is_no_secret_is_the_same_message(payload: bytes) -> None:
    one = message(payload)
    assert Masking().applied([one]).messages[0] is one


def test_a_masked_message_says_so_and_keeps_the_rest() -> None:
    properties = Properties("text/plain", user=(("a2a-authorization", "x"), ("agent", "a")))
    found = Masking().applied([message(b"1", properties), message(b"2")])
    assert found.hidden == 1
    assert found.messages[0].properties == Properties(
        "text/plain", user=(("a2a-authorization", "***"), ("agent", "a")), masked=True
    )


def test_another_list_and_none() -> None:
    assert hidden(b'{"pin":"1234","password":"x"}', ("pin",)) == b'{"pin":"***","password":"x"}'
    assert hidden(b'{"password":"x"} mqtt://u:p@h', ()) == b'{"password":"x"} mqtt://u:p@h'
    masking = Masking()
    masking.use(("pin",))
    assert not masking.may_be_in(b'{"password":"x"}')


@pytest.mark.parametrize("cases", [3_000, pytest.param(300_000, marks=pytest.mark.long)])
def test_whatever_comes_nothing_escapes_and_json_stays_json(cases: int) -> None:
    chance, masking = random.Random(11), Masking()
    for _ in range(cases):
        canary = "".join(chance.choices(string.ascii_letters + '"\\{[ \u017c', k=chance.randint(4, 12)))
        body = {chance.choice(PLAIN_KEYS): canary, "deep": [{chance.choice(PLAIN_KEYS): {"x": canary}}], "n": 1}
        payload = json.dumps(body, ensure_ascii=chance.random() < 0.5).encode()
        stored = masking.applied([message(payload)]).messages[0].payload
        assert json.loads(stored)["n"] == 1
        assert set(json.loads(stored)["deep"][0].values()) == {"***"}
        broken = bytearray(payload)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(broken))
            broken[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
        masking.applied([message(bytes(broken))])


@pytest.mark.parametrize(
    "filling",
    [
        b"\\",
        b'\\"',
        b"-.",
        b"a_",
        b'"a_',
        b"://",
        b'"token":[],',
        b'"token":{',
        b'token="',
        b"token='",
        b"authorization: ",
    ],
)
def test_nothing_takes_long(filling: bytes) -> None:
    """A quarter of a million letters; where time grew with the square of them, this would take hours."""
    payload = b'{"secret":"' + filling * (250_000 // len(filling))
    Masking().applied([message(payload), message(payload.replace(b'{"secret":', b"pass", 1))])
