"""Which workspaces the demo takes, and what makes one its own."""

import dataclasses

import pytest

from app.cli.parser import parse
from app.demo_workspace import is_demo, prepare_demo, refuse_other
from app.recorder.broker_choice import BrokerChoice, Own
from app.settings import Demo, Retention, Settings, SettingsFile
from models.domain.connection import Connection
from models.domain.problems import EnvironmentProblem
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter


@pytest.fixture
def workspace(tmp_path):
    return Workspace.at(tmp_path / "w")


def refused(workspace):
    with pytest.raises(EnvironmentProblem) as raised:
        refuse_other(workspace)
    return raised.value.problem.code


def test_a_new_one_keeps_little_history(workspace):
    refuse_other(workspace)
    assert not is_demo(workspace)
    prepare_demo(workspace, 12, 30.0, 1.0)
    assert is_demo(workspace)
    refuse_other(workspace)
    assert SettingsFile(workspace.settings).load() == Settings(
        retention=Retention(gib=0.5, days=1), demo=Demo(12, 30.0, 1.0)
    )


def test_another_start_changes_the_fleet_and_nothing_that_the_user_chose(workspace):
    prepare_demo(workspace, 12, 30.0, 1.0)
    file = SettingsFile(workspace.settings)
    file.save(dataclasses.replace(file.load(), retention=Retention(gib=3, days=2)))
    prepare_demo(workspace, 20, 60.0, 1.0)
    assert file.load() == Settings(retention=Retention(gib=3, days=2), demo=Demo(20, 60.0, 1.0))


def test_what_is_real_is_refused_with_a_sentence(workspace, clock):
    StoreWriter(workspace, clock).close()
    assert refused(workspace) == "demo.real"
    assert not workspace.settings.exists()


def test_a_broker_that_was_chosen_is_real(workspace):
    SettingsFile(workspace.settings).save(Settings(Connection(host="lab"), embedded=False))
    assert refused(workspace) == "demo.real"


def test_a_folder_with_other_files_is_refused(workspace):
    workspace.root.mkdir()
    refuse_other(workspace)
    (workspace.root / "thesis.tex").touch()
    assert refused(workspace) == "workspace.foreign"


def test_settings_that_cannot_be_read_make_no_demo(workspace):
    workspace.root.mkdir()
    for text in (b"[demo\n", b"\xff demo", b"demo = 1\n", b"# demo\n"):
        workspace.settings.write_bytes(text)
        assert not is_demo(workspace)
        assert refused(workspace) == "demo.real"


def test_a_demo_records_its_own_broker_whatever_else_its_settings_say(workspace):
    prepare_demo(workspace, 12, 30.0, 1.0)
    file = SettingsFile(workspace.settings)
    file.save(dataclasses.replace(file.load(), connection=Connection(host="lab"), embedded=False))
    assert BrokerChoice(file, None, None).read() is Own.BROKER


@pytest.mark.parametrize("words", [["--agents", "3"], ["--rate", "0"], ["--agents", "many"]])
def test_arguments_that_make_no_fleet_are_usage(words):
    with pytest.raises(SystemExit) as ended:
        parse(["demo", *words])
    assert ended.value.code == 2


def test_the_defaults():
    args = parse(["demo"])
    assert (args.agents, args.rate, args.speed) == (40, 60.0, 1.0)
