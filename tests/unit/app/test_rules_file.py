import pytest

from app.cli.rules import _EPILOG
from app.rules_file import RulesFile
from models.domain.problems import EnvironmentProblem
from models.domain.rules import Meaning, RuleError, rule_of

TEXT = """# mine
[[rule]]
topic = "a/{agent}" # why
means = "status"

[[rule]]
topic = "b/#"
means = "ignore"

[same]
"plug-2" = "kitchen"
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "workspace" / "rules.toml"


def test_no_file_is_no_rule(path):
    assert RulesFile(path).load().rules.rules == ()
    assert not path.exists()


def test_rules_and_names(path):
    path.parent.mkdir()
    path.write_text(TEXT)
    rules, problems = RulesFile(path).load()
    assert [(one.topic, one.means) for one in rules.rules] == [("a/{agent}", Meaning.STATUS), ("b/#", Meaning.IGNORE)]
    assert rules.same == {"plug-2": "kitchen"}
    assert problems == []


def test_a_rule_that_makes_no_sense_is_told_and_the_others_work(path):
    path.parent.mkdir()
    path.write_text(TEXT + '\n[[rule]]\ntopic = "c"\nmeans = "x"\n[other]\n')
    rules, problems = RulesFile(path).load()
    assert len(rules.rules) == 2
    assert [one.params["where"] for one in problems] == ["rule 3 (line 13)", "other"]
    assert "means has to be one of" in problems[0].sentence()


def test_changes_keep_what_their_author_wrote(path):
    path.parent.mkdir()
    path.write_text(TEXT)
    file = RulesFile(path)
    file.add(rule_of({"topic": "new/{agent}", "means": "agent", "agent": "{agent}"}))
    file.add_same("x", "kitchen")
    text = path.read_text()
    assert "# mine" in text
    assert "# why" in text
    rules = file.load().rules
    assert [one.topic for one in rules.rules] == ["new/{agent}", "a/{agent}", "b/#"]
    assert rules.same == {"plug-2": "kitchen", "x": "kitchen"}
    assert file.remove(rules.rules[0]) == 1
    file.remove_same("x")
    assert file.load().rules.rules[0].topic == "a/{agent}"
    with pytest.raises(RuleError):
        file.add_same("kitchen", "plug-2")


def test_the_first_rule_and_the_last_one(path):
    file = RulesFile(path)
    rule = rule_of({"topic": "t", "means": "ignore"})
    file.add(rule)
    assert file.remove(rule) == 1
    assert file.load().rules.rules == ()
    assert file.remove(rule) == 0


def test_a_rule_comes_back_to_its_place(path):
    path.parent.mkdir()
    path.write_text('[[rule]]\ntopic = "a/#/b"\nmeans = "ignore"\n' + TEXT)
    file = RulesFile(path)
    first, second = file.load().rules.rules
    assert file.remove(second) == 3
    file.add(second, 3)
    loaded = file.load()
    assert loaded.rules.rules == (first, second)
    assert len(loaded.problems) == 1


def test_another_file_is_taken_over_whole_or_not_at_all(path, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(TEXT)
    RulesFile(path).apply(other)
    assert path.read_text() == TEXT
    other.write_text(TEXT + '[[rule]]\ntopic = "c"\n')
    with pytest.raises(EnvironmentProblem) as raised:
        RulesFile(path).apply(other)
    assert raised.value.problem.code == "rules.bad"
    assert path.read_text() == TEXT


def test_a_file_that_cannot_be_read_is_left_alone(path):
    path.parent.mkdir()
    path.write_text("[[rule\n")
    with pytest.raises(EnvironmentProblem):
        RulesFile(path).add(rule_of({"topic": "t", "means": "ignore"}))
    assert path.read_text() == "[[rule\n"


def test_the_example_of_the_help_makes_sense(path):
    text = _EPILOG[_EPILOG.index("  [[rule]]") : _EPILOG.index("Of rules that say")]
    path.parent.mkdir()
    path.write_text(text)
    rules, problems = RulesFile(path).load()
    assert problems == []
    assert [one.means for one in rules.rules] == [
        Meaning.NUMBER,
        Meaning.AGENT,
        Meaning.STATUS,
        Meaning.LOG,
        Meaning.IGNORE,
    ]
    assert rules.same == {"plug-2": "kitchen-plug"}
