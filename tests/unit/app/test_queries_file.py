"""`queries.toml`: what people keep of what they looked for."""

from pathlib import Path

import pytest

from app.queries_file import MOST_RECENT, Queries, QueriesFile
from models.domain.problems import EnvironmentProblem


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queries.toml"


def test_queries_are_kept_by_name_and_forgotten(path: Path) -> None:
    file = QueriesFile(path)
    assert file.load() == Queries({}, ())
    file.save("slow planners", 'agent:planner-* latency>200 "timed out"')
    file.save("errors", "level:error")
    file.save("errors", "level>=error")
    assert QueriesFile(path).load().saved == {
        "slow planners": 'agent:planner-* latency>200 "timed out"', "errors": "level>=error",
    }  # fmt: skip
    assert file.forget("errors").saved == {"slow planners": 'agent:planner-* latency>200 "timed out"'}
    assert file.forget("nowhere") == file.load()


def test_the_latest_come_first_each_once(path: Path) -> None:
    file = QueriesFile(path)
    for number in range(MOST_RECENT + 5):
        file.looked_for(f"q{number}")
    file.looked_for("q10")
    recent = QueriesFile(path).load().recent
    assert len(recent) == MOST_RECENT
    assert recent[:3] == ("q10", f"q{MOST_RECENT + 4}", f"q{MOST_RECENT + 3}")


def test_what_people_wrote_into_the_file_stays(path: Path) -> None:
    path.write_text('# ours\ncolour = "red"\nrecent = ["a"]\n\n[saved]\n"x y" = "level:warn"  # why\n')
    file = QueriesFile(path)
    file.looked_for("b")
    file.save("z", "c")
    text = path.read_text()
    assert "# ours" in text
    assert 'colour = "red"' in text
    assert "# why" in text
    assert file.load() == Queries({"x y": "level:warn", "z": "c"}, ("b", "a"))


@pytest.mark.parametrize("text", ['saved = {a = "x"}\n', 'saved.a = "x"\n'])
def test_queries_written_in_another_way_stay(path: Path, text: str) -> None:
    path.write_text(text)
    QueriesFile(path).save("b", "y")
    assert QueriesFile(path).load().saved == {"a": "x", "b": "y"}


@pytest.mark.parametrize("text", ["saved = 5", "[saved]\na = 1", "recent = 'a'", "recent = [1]", "[saved"])
def test_what_makes_no_sense_is_told_and_not_written_over(path: Path, text: str) -> None:
    path.write_text(text)
    for work in (lambda one: one.load(), lambda one: one.save("a", "b"), lambda one: one.looked_for("a")):
        with pytest.raises(EnvironmentProblem) as caught:
            work(QueriesFile(path))
        assert caught.value.problem.code == "settings.unreadable"
    assert path.read_text() == text
