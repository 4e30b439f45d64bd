import ast
import json
import random
import string
from collections.abc import Callable
from urllib.parse import quote

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
    ("payload", "stored"),
    [
        (b"password: hunter2", b"password: ***"),
        (b"login of bob, Password: hunter, failed", b"login of bob, Password: ***, failed"),
        (b"secret: swordfish\npin: 1", b"secret: ***\npin: 1"),
        (b"token: 8f3a", b"token: ***"),
        (b"access_token: abcdef n=1", b"access_token: *** n=1"),
        (b"password = hunter2", b"password = ***"),
        (b"dbPassword=x1 DB_PASSWORD=x2", b"dbPassword=*** DB_PASSWORD=***"),
        (b'{"m":"password: hunter2"}', b'{"m":"password: ***"}'),
        (b"{'password': 'x', 'n': 1}", b"{'password': '***', 'n': 1}"),
        (b"{'token': \"it's\", 'n': 1}", b"{'token': \"***\", 'n': 1}"),
        (b"{'api_key': b'a\\'b \"c', 'n': 1}", b"{'api_key': b'***', 'n': 1}"),
        (b'{"m":"{\'password\': \'a b\', \'n\': 1}"}', b'{"m":"{\'password\': \'***\', \'n\': 1}"}'),
        (b"Settings(password='it\\'s', n=2)", b"Settings(password='***', n=2)"),
        (b"{ password: 'x y', user: 'u' }", b"{ password: '***', user: 'u' }"),
        (b'level=info token="a\\"b c" n=1', b'level=info token="***" n=1'),
        (b'{"m":"token=\\"a\\\\\\"b c\\" n"}', b'{"m":"token=\\"***\\" n"}'),
        (b"grant_type=client_credentials&client_secret=s%26x&n=1", b"grant_type=client_credentials&client_secret=***&n=1"),
        (b"GET /x?a=1&access_token=abc#f", b"GET /x?a=1&access_token=***"),
        (b"Cookie: sid=abc; theme=dark\nAccept: x", b"Cookie: ***\nAccept: x"),
        (b"curl -H 'Authorization: Basic dXNlcjpwYXNz' x", b"curl -H 'Authorization: Basic ***' x"),
        (b"sent Bearer eyJhbGciOiJIUzI1NiJ9.e30.x to it", b"sent Bearer *** to it"),
        (b"redis://:p:w@h/0 and amqp://u:p@ss@h/", b"redis://:***@h/0 and amqp://u:***@h/"),
        (b"password=" + b"x" * 9_000 + b" n=1", b"password=*** n=1"),
        (b'password="' + b"x y " * 9_000 + b'" n=1', b'password="***" n=1'),
        (b"{'password': '" + b"x y " * 9_000 + b"'}", b"{'password': '***'}"),
        (b"mqtt://u" + b"u" * 900 + b":" + b"x" * 900 + b"@h", b"mqtt://u" + b"u" * 900 + b":***@h"),
        (b"\x1b[31mpassword=hunter2\x1b[0m done", b"\x1b[31mpassword=***\x1b[0m done"),
        (b"\x1b[36mdb_password\x1b[0m=\x1b[1mhunter2\x1b[0m n=1", b"\x1b[36mdb_password\x1b[0m=\x1b[1m***\x1b[0m n=1"),
        (b'{"m":"\\u001b[36mtoken=\\u001b[0mab12 n=1"}', b'{"m":"\\u001b[36mtoken=\\u001b[0m*** n=1"}'),
    ],
)  # fmt: skip
def test_secrets_are_hidden_in_texts(payload: bytes, stored: bytes) -> None:
    assert hidden(payload) == stored
    assert Masking().may_be_in(payload)
    assert hidden(stored) == stored


@pytest.mark.parametrize(
    ("payload", "stored"),
    [
        (b'{"password":"hunter2","n":1}\0', b'{"password":"*******","n":1}\0'),
        (b'{"password":"hun\x02ter2","n":1}', b'{"password":"********","n":1}'),
        (b"\x0a\x10password=hunter2\x12\x01x", b"\x0a\x10password=*******\x12\x01x"),
        (b'\x00\x01"password":"abc\x12\x03x', b'\x00\x01"password":"**"\x12\x03x'),
        (b'\x00{"credentials":{"pw":"x"},"n":1}', b'\x00{"credentials":"********","n":1}'),
        (b"\x00mqtt://u:hunter2@h Bearer 0123456789abcdef", b"\x00mqtt://u:*******@h Bearer ****************"),
    ],
)  # fmt: skip
def test_what_is_no_text_keeps_its_length(payload: bytes, stored: bytes) -> None:
    assert hidden(payload) == stored
    assert len(stored) == len(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"tokens":3,"token":17,"prompt_tokens":5}', b'{"secretary":"Ann"}', b'{"level":"info","message":"no password given"}',
        b"http://host/a@b", b"21.5", b"", b'{"passwords":"x"}', b'{"max_token_count":4096,"tokens":12}',
        b'{"m":"token=","n":["password=", "password="]}', b'{"log":"{\\"m\\":\\"token=\\",\\"n\\":\\"password=\\"}"}',
        b'{"maxtoken":"x","compass":"y"}', b'{"_meta":{"progressToken":"abc"},"nextPageToken":"x","page_token":"y"}',
        b'{"usage":{"token":{"input":3,"output":[1,2.5e3]}}}', b'{"token":[],"secret":{"n":null}}', b'{"password":null,"token":false}',
        b"used 12 tokens: 5 more", b"max_token_count=4096 tokens=12", b"token: 12", b"token=17 of 20", b"total_tokens: 1,234",
        b"unexpected token: foo", b"SyntaxError: Unexpected token: '}'", b"Unexpected token: 'return'", b"cookie: not set",
        b"password: required", b"Password: incorrect.", b"credentials: missing", b"authorization: denied", b"secret: none",
        b"{'token': 12, 'password': None}", b"credentials: {", b"credentials:\n  user: x", b"password:", b"password: ''", b"token::new",
        b'{"message":"password: "}', b'{"message":"password:","n":"x"}', b'{"message":"password: ","n":"x"}', b"if password == other",
        b"secretary: Ann, compass: north", b"http://h:80?mail=a@b", b"http://h:80/x,a:b@c", b"Bearer authentication-is-required",
        b'{"name":"password","type":"string"}', b"progressToken=abc next_page_token: abc1", b"password=\x00x", b"author: bob1",
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


LONG = [pytest.param(seed, 50_000, marks=pytest.mark.long) for seed in range(6)]
BEGIN, END = "Zq7", "x9Kv"
"""Of every secret here: whatever is left of one shows by them."""


def canary(chance: random.Random, letters: str) -> str:
    most = 6_000 if chance.random() < 0.01 else 12
    return BEGIN + "".join(chance.choices(letters, k=chance.randint(0, most))) + END


def in_json(chance: random.Random) -> tuple[bytes, Callable[[bytes], object]]:
    secret = canary(chance, string.ascii_letters + '"\\{[ \u017c\n')
    body = {chance.choice(PLAIN_KEYS): secret, "deep": [{chance.choice(PLAIN_KEYS): {"x": secret}}], "n": 1}
    depth = chance.randint(0, 2)
    payload = json.dumps(body, ensure_ascii=chance.random() < 0.5)
    for _ in range(depth):
        payload = json.dumps({"m": payload})

    def rest(stored: bytes) -> object:
        found = json.loads(stored)
        for _ in range(depth):
            found = json.loads(found["m"])
        assert set(found["deep"][0].values()) == {"***"}
        return found["n"]

    return payload.encode(), rest


def in_python(chance: random.Random) -> tuple[bytes, Callable[[bytes], object]]:
    letters = string.ascii_letters + "'\\{[ ,:\u017c"
    if not (whole := chance.random() < 0.5):
        letters = letters.replace("'", "")  # in JSON, a `"` that Python may write ends a text
    printed = repr({"n": 1, chance.choice(PLAIN_KEYS): canary(chance, letters), "o": "x"})
    if whole:
        return printed.encode(), lambda stored: ast.literal_eval(stored.decode())["n"]
    return json.dumps({"m": printed}).encode(), lambda stored: ast.literal_eval(json.loads(stored)["m"])["n"]


def in_text(chance: random.Random) -> tuple[bytes, Callable[[bytes], object]]:
    key = chance.choice(PLAIN_KEYS[:-1])
    secret = canary(chance, string.ascii_letters + string.digits + "!$%()*+-./:<=>?@^_|~[]{}")
    form = chance.choice(
        [f"{key}={secret}", f"{key}: {secret}", f"my_{key} = '{secret} {secret}'", f"key={key}&{key}={secret}", f'{key}:"{secret}"']
    )  # fmt: skip
    form = f"at 12:30 {form} n=1"
    if chance.random() < 0.5:
        return form.encode(), lambda stored: int(stored.rpartition(b"n=")[2])
    return json.dumps({"m": form, "n": 1}).encode(), lambda stored: json.loads(stored)["n"]


def in_address(chance: random.Random) -> tuple[bytes, Callable[[bytes], object]]:
    secret = canary(chance, string.ascii_letters + string.digits + "!$%&'()*+,;=:@~")
    bearer = canary(chance, string.ascii_letters + string.digits + "-._~+/")
    form = chance.choice(
        [f"mqtts://u:{secret}@h:1/x", f"mqtts://u:{quote(secret)}@h", f"sent Bearer {bearer}0123456789"]
    )
    return f"to {form} n=1".encode(), lambda stored: int(stored.rpartition(b"n=")[2])


def is_json(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("seed", "cases"), [(11, 3_000), *LONG])
def test_whatever_comes_nothing_escapes_and_the_rest_stays(seed: int, cases: int) -> None:
    chance, masking = random.Random(seed), Masking()
    for _ in range(cases):
        payload, rest = chance.choice((in_json, in_python, in_text, in_address))(chance)
        stored = masking.applied([message(payload)]).messages[0].payload
        assert BEGIN.encode() not in stored, payload
        assert END.encode() not in stored, payload
        assert rest(stored) == 1, payload
        broken = bytearray(payload)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(broken))
            broken[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
        stored = masking.applied([message(bytes(broken))]).messages[0].payload
        assert is_json(stored) or not is_json(bytes(broken)), broken


@pytest.mark.parametrize(("seed", "cases"), [(11, 2_000), *LONG])
def test_what_agents_count_is_never_touched(seed: int, cases: int) -> None:
    chance, masking = random.Random(seed), Masking()
    names = (
        "tokens",
        "prompt_tokens",
        "max_token_count",
        "token",
        "tokenLimit",
        "token_usage",
        "completionTokens",
        "secret_count",
    )
    for _ in range(cases):
        counts = {chance.choice(names): chance.choice((chance.randrange(9**6), chance.random(), [1, 2], {"in": 3}, None, True))
                  for _ in range(3)}  # fmt: skip
        forms = (json.dumps(counts), json.dumps({"m": json.dumps(counts)}), repr(counts),
                 " ".join(f"{name}={round(chance.random() * 100)}" for name in counts),
                 ", ".join(f"{name}: {chance.randrange(9**6):,}" for name in counts))  # fmt: skip
        one = message(chance.choice(forms).encode())
        assert masking.applied([one]).messages[0] is one, one.payload


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
        b"token=\\'",
        b'token=\\\\\\"',
        b"'token': '",
        b"token: a ",
        b"cookie: a",
        b"bearer 1",
        b"token",
        b'password="a\\',
        b'"token":{"a":1,',
    ],
)
def test_nothing_takes_long(filling: bytes) -> None:
    """A quarter of a million letters; where time grew with the square of them, this would take hours."""
    payload = b'{"secret":"' + filling * (250_000 // len(filling))
    Masking().applied([message(payload), message(payload.replace(b'{"secret":', b"pass", 1))])
