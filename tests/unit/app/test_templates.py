"""`templates.toml`: what is kept comes back byte by byte, people may edit it, and nothing readable is ever lost."""

import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.templates import TemplatesFile
from models.domain.messages import Properties
from models.domain.problems import EnvironmentProblem
from models.domain.publishing import OutgoingMessage, Template


@pytest.fixture
def file(tmp_path: Path) -> TemplatesFile:
    return TemplatesFile(tmp_path / "w" / "templates.toml")


def template(name: str, topic: str = "a/b", payload: bytes = b"{}", **more: object) -> Template:
    return Template(name, OutgoingMessage(topic, payload, **more))  # type: ignore[arg-type]


def problem_of(call) -> str:
    with pytest.raises(EnvironmentProblem) as raised:
        call()
    return raised.value.problem.sentence()


def test_without_a_file_there_is_none(file: TemplatesFile, tmp_path: Path) -> None:
    assert file.load() == []
    assert not (tmp_path / "w").exists()


def test_what_is_kept_comes_back_whole_for_its_owner_alone(file: TemplatesFile, tmp_path: Path) -> None:
    full = Template(
        "Stop “all”", OutgoingMessage("a/ż", b"\x00\xff", 0, True, Properties("text/x", "re/ply", b"\x01", None, (("k", "v"), ("k", "")))),
    )  # fmt: skip
    lines = template("lines", payload='{\n "a": "ż",\n "b": \'"""\'\n}\n'.encode())
    assert file.save(full) == [full]
    assert file.save(lines) == [full, lines]
    assert TemplatesFile(tmp_path / "w" / "templates.toml").load() == [full, lines]
    assert stat.S_IMODE((tmp_path / "w" / "templates.toml").stat().st_mode) == 0o600


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(name=st.text(min_size=1), topic=st.text(min_size=1), payload=st.binary())
def test_any_text_and_any_bytes_come_back(tmp_path_factory, name: str, topic: str, payload: bytes) -> None:
    kept = template(name, topic, payload)
    folder = tmp_path_factory.mktemp("t")
    assert TemplatesFile(folder / "t.toml").save(kept) == [kept]


@pytest.mark.parametrize("payload", [b"a\r\nb\n", b"\r\n", b"a\rb", b"a\n\r"])
def test_line_ends_of_a_payload_stay_as_they_are(file: TemplatesFile, payload: bytes) -> None:
    kept = template("lines", payload=payload)
    assert file.save(kept) == [kept]


def test_the_same_name_is_replaced_in_its_place_and_deleted(file: TemplatesFile) -> None:
    for name in ("one", "two", "three"):
        file.save(template(name, properties=Properties("x")))
    two = template("two", "other", b"", qos=0)
    assert [one.name for one in file.save(two)] == ["one", "two", "three"]
    assert file.load()[1] == two  # what it had before is gone
    assert [one.name for one in file.delete("one")] == ["two", "three"]
    assert [one.name for one in file.delete("one")] == ["two", "three"]
    file.delete("two")
    assert file.delete("three") == []
    assert file.save(two) == [two]


def test_comments_and_unknown_keys_of_people_stay(file: TemplatesFile, tmp_path: Path) -> None:
    path = tmp_path / "w" / "templates.toml"
    path.parent.mkdir()
    path.write_text('# mine\n[[template]]\nname = "a" # the first\ntopic = "t"\ncolour = "red"\n')
    assert file.load() == [template("a", "t", b"")]
    file.save(template("a", "t2"))
    text = path.read_text()
    assert "# mine" in text
    assert "# the first" in text
    assert 'colour = "red"' in text
    assert 'topic = "t2"' in text


@pytest.mark.parametrize(
    "text",
    [
        "[[template]\n", "\xff", 'template = "x"\n', "[template]\nname = 'x'\n", '[[template]]\ntopic = "t"\n',
        '[[template]]\nname = "a"\n', '[[template]]\nname = "a"\ntopic = 5\n',
        '[[template]]\nname = "a"\ntopic = "t"\nqos = 2\n', '[[template]]\nname = "a"\ntopic = "t"\nqos = true\n',
        '[[template]]\nname = "a"\ntopic = "t"\nretain = "yes"\n',
        '[[template]]\nname = "a"\ntopic = "t"\npayload_base64 = "%"\n',
        '[[template]]\nname = "a"\ntopic = "t"\nuser_properties = ["x"]\n',
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_and_left_alone(file: TemplatesFile, tmp_path: Path, text: str) -> None:
    path = tmp_path / "w" / "templates.toml"
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    for call in (file.load, lambda: file.save(template("x")), lambda: file.delete("x")):
        assert str(path) in problem_of(call)
        assert path.read_bytes() == text.encode("latin-1")


def test_a_template_with_a_wildcard_is_read_and_refused_when_it_is_published(file: TemplatesFile) -> None:
    assert file.save(template("all", "a/#")) == [template("all", "a/#")]
