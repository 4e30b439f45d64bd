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
    file.remove(rules.rules[0])
    file.remove_same("x")
    assert file.load().rules.rules[0].topic == "a/{agent}"
    with pytest.raises(RuleError):
        file.add_same("kitchen", "plug-2")


def test_the_first_rule_and_the_last_one(path):
    file = RulesFile(path)
    rule = rule_of({"topic": "t", "means": "ignore"})
    file.add(rule)
    file.remove(rule)
    assert file.load().rules.rules == ()
    for change in (file.remove, lambda one: file.move(one, down=True), lambda one: file.replace(one, one)):
        with pytest.raises(EnvironmentProblem, match="any more"):
            change(rule)


def test_a_rule_comes_back_to_its_place(path):
    path.parent.mkdir()
    path.write_text('[[rule]]\ntopic = "a/#/b"\nmeans = "ignore"\n' + TEXT)
    file = RulesFile(path)
    before = path.read_text()
    first, second = file.load().rules.rules
    removed = file.remove(second)
    assert file.load().rules.rules == (first,)
    file.undo(removed)
    assert path.read_text() == before, "comments, names and what makes no sense stand where they stood"


COMMENTED = """# Rules of the plant.
# Ask Ada.

# speed of mixers
[[rule]]
topic = "a" # the first
means = "ignore"

# noise
# of two kinds
[[rule]]
topic = "b"
means = "ignore"

[[rule]]
topic = "c"
means = "number"
unit = "s" # seconds
path = "v"

# names
[same]
"x" = "y" # twin
"""


def test_comments_go_with_the_rule_below_them(path):
    path.parent.mkdir()
    path.write_text(COMMENTED)
    file = RulesFile(path)
    first, second, third = file.load().rules.rules
    moved = file.move(first, down=True)
    assert file.load().rules.rules == (second, first, third)
    head, middle = path.read_text().split("# speed of mixers\n[[rule]]\n")
    assert head.endswith('# noise\n# of two kinds\n[[rule]]\ntopic = "b"\nmeans = "ignore"\n\n')
    assert head.startswith("# Rules of the plant.\n# Ask Ada.\n\n")
    assert middle.startswith('topic = "a" # the first\n')
    file.undo(moved)
    assert path.read_text() == COMMENTED
    file.move(first, down=False)
    assert path.read_text() == COMMENTED, "it is the first already"
    file.remove(second)
    text = path.read_text()
    assert "noise" not in text
    assert "# names\n[same]" in text
    file.add(second)
    text = path.read_text()
    assert text.index("# Ask Ada.") < text.index('topic = "b"') < text.index("# speed of mixers")


def test_what_a_rule_says_is_changed_in_its_place(path):
    path.parent.mkdir()
    path.write_text(COMMENTED)
    file = RulesFile(path)
    old = file.load().rules.rules[2]
    new = rule_of({"topic": "c", "means": "number", "unit": "ms", "metric": "pause"})
    change = file.replace(old, new)
    assert file.load().rules.rules[2] == new
    text = path.read_text()
    assert 'unit = "ms" # seconds' in text
    assert "path" not in text
    assert text.split("unit =")[0] == COMMENTED.split("unit =", maxsplit=1)[0]
    file.undo(change)
    assert path.read_text() == COMMENTED


def test_a_name_is_changed(path):
    path.parent.mkdir()
    path.write_text(COMMENTED)
    file = RulesFile(path)
    file.add_same("x", "z", instead_of="x")
    assert file.load().rules.same == {"x": "z"}
    assert "# twin" in path.read_text()
    change = file.add_same("w", "z", instead_of="x")
    assert file.load().rules.same == {"w": "z"}
    file.undo(change)
    assert file.load().rules.same == {"x": "z"}
    with pytest.raises(RuleError):
        file.add_same("z", "x")


def test_what_was_changed_meanwhile_is_not_undone(path):
    file = RulesFile(path)
    change = file.add(rule_of({"topic": "t", "means": "ignore"}))
    path.write_text(path.read_text() + "# somebody was here\n")
    with pytest.raises(EnvironmentProblem, match="changed meanwhile"):
        file.undo(change)
    assert "somebody" in path.read_text()


@pytest.mark.parametrize(
    "text",
    [
        'rule = [{topic = "a", means = "ignore"}, {topic = "b", means = "ignore"}]\n',
        '[[rule]]\ntopic = "a"\nmeans = "ignore"\n[same]\nx = "y"\n[[rule]]\ntopic = "b"\nmeans = "ignore"\n',
        '[[rule]]\ntopic = """a"""\nmeans = "ignore"\n[[rule]]\nmeans = "ignore"\ntopic = "b"\n',
    ],
)
def test_however_it_is_written_it_can_be_changed(path, text):
    path.parent.mkdir()
    path.write_text(text)
    file = RulesFile(path)
    first, second = file.load().rules.rules
    same = file.load().rules.same
    file.move(first, down=True)
    assert file.load().rules.rules == (second, first)
    third = rule_of({"topic": "c", "means": "ignore"})
    file.add(third)
    file.replace(first, rule_of({"topic": "d", "means": "ignore"}))
    file.remove(second)
    loaded = file.load()
    assert [one.topic for one in loaded.rules.rules] == ["c", "d"]
    assert (loaded.rules.same, loaded.problems) == (same, [])


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
