"""Templates are recognised by their shape, never run."""

import pytest

from mqtt.reading.value_templates import LONGEST_TEMPLATE, MISSING, Extract, as_number, find, read_template


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{{ value_json.x }}", ("x",)),
        ("{{value_json.x}}", ("x",)),
        ("{{- value_json['a b'][\"c\"][0].d -}}", ("a b", "c", 0, "d")),
        ("{{ value_json.get('x')}}", ("x",)),
        ("{{ value_json.get('x', {}).get('y', 0) }}", ("x", "y")),
        ("{{ value_json.x | float(0) | round(2) }}", ("x",)),
        ("{{ float(value_json.x, 0) }}", ("x",)),
        ("{{ value_json.x | is_defined }}", ("x",)),
        ("{{ value_json }}", ()),
        ("{{ value_json.x if value_json is not undefined and value_json.x is not undefined else None }}", ("x",)),
        ("{{ value_json.x if value_json.x is defined else 'unknown' }}", ("x",)),
        ("{{ value_json.x if value_json.x is not none }}", ("x",)),
        ("{% if value_json.x is defined %}{{ value_json.x }}{% endif %}", ("x",)),
        ("{%- if value_json.x is defined -%} {{ value_json.x | round(1) }} {%- else -%} unknown {%- endif -%}", ("x",)),
        ("{% if value_json.x is not none %}{{ value_json.x }}{% else %}{{ 0 }}{% endif %}", ("x",)),
    ],
)
def test_references(text: str, path: tuple[str | int, ...]) -> None:
    assert read_template(text) == Extract(path, json=True)


@pytest.mark.parametrize(
    ("text", "times", "by"),
    [
        ("{{ value_json.x * 100 }}", 100, 1),
        ("{{ (value_json.x / 1024) | round(1) }}", 1, 1024),
        ("{{ ((value_json.x | float) * 9 / 5) | round(1) }}", 9, 5),
        ("{{ value_json.x | float / 10 | int }}", 1, 10),
    ],
)
def test_scaled(text: str, times: float, by: float) -> None:
    assert read_template(text) == Extract(("x",), json=True, times=times, by=by)


def test_the_payload_itself() -> None:
    assert read_template("{{ value }}") == read_template("{{ value | float }}") == Extract()


@pytest.mark.parametrize(
    "text",
    [
        "", "21", "{{ }}", "{{ x }}", "{{ value_json.x + 1 }}", "{{ 'ON' if value_json.x > 5 else 'OFF' }}",
        "{{ value_json.x if value_json.k == 'a' else None }}", "{{ value_json.x if value_json.x is undefined else 0 }}",
        "{% if value_json.x %}{{ value_json.x }}{% endif %}", "{% if value_json.x > 5 %}{{ value_json.x }}{% else %}0{% endif %}",
        "{% if value_json.x is defined %}{{ value_json.x }}{% else %}{{ states('a') }}{% endif %}",
        "{% if value_json.x is defined %}{% set y = 1 %}{{ value_json.x }}{% endif %}", "{% if x %}" + " " * 900 + "{{ value }}", "{{ value_json.x }} {{ value_json.y }}",
        "{{ value_json.x | as_datetime }}", "{{ value_json.x / 0 }}", "{{ value_json.x ~ 's' }}", "{{ value_json[1.5] }}",
        "{{ ''.__class__.__mro__ }}", "{{ cycler.__init__.__globals__.os.popen('id') }}", "{{ value_json.x", "{{ value_json. }}",
        "{{ value_json.get(x) }}", "{{ states('sensor.x') }}", "{{ " + "(" * 150 + " }}", "{{ value_json" + ".x" * 17 + " }}",
        "{{ value_json.x * 1" + "0" * 400 + " }}", "{{ value_json.x | round(" + "1," * 300 + "1) }}",
        "{{ " + " " * LONGEST_TEMPLATE + "value }}",
    ],
)  # fmt: skip
def test_other_shapes_mean_nothing(text: str) -> None:
    assert read_template(text) is None


def test_what_is_found() -> None:
    body = {"a": [1, {"b": "2.5 %"}], "n": None, "t": True, "big": 2**2000}
    assert as_number(find(body, ("a", 1, "b"))) == 2.5
    assert as_number(find(body, ("a", -2))) == 1
    for path in (("x",), ("a", 2), ("a", "b"), ("n", "x"), ("a", 0, "b")):
        assert find(body, path) is MISSING
    assert [as_number(body[key]) for key in ("n", "t", "big")] == [None] * 3
    assert as_number(MISSING) is None
    assert as_number("nan") is None
