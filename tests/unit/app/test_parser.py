import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from app.cli.main import guarded
from app.cli.parser import COMMANDS, WINDOW_COMMANDS, parse, shows_a_window
from app.own_process import child_environment, own_command
from app.version import VERSION
from models.domain.problems import trouble

ROOT = Path(__file__).resolve().parents[3]
PROMISED = """demo record agent simulate broker import export info verify backup restore rules reread why logs task shot
example incident""".split()


def test_every_promised_command_is_known():
    assert sorted([*COMMANDS, *WINDOW_COMMANDS]) == sorted(PROMISED)


@pytest.mark.parametrize("argv", [["--workspace", "W", "broker"], ["broker", "--workspace", "W"], ["--workspace=W"]])
def test_workspace_stands_before_or_after_the_command(argv):
    assert parse(argv).workspace == "W"


def test_workspace_after_the_command_wins_and_default_is_none():
    assert parse(["--workspace", "A", "broker", "--workspace", "B"]).workspace == "B"
    assert parse(["broker"]).workspace is None


@pytest.mark.parametrize(
    ("argv", "expected"), [([], True), (["demo"], True), (["shot", "fleet", "-o", "x"], True), (["record"], False)]
)
def test_window_commands_go_to_the_window(argv, expected):
    assert shows_a_window(parse(argv)) is expected


@pytest.mark.parametrize(
    "argv", [["nonsense"], ["record", "--nonsense"], ["record", "--duration", "-1"], ["broker", "--port", "0"]]
)
def test_what_is_not_understood_ends_with_two(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(argv)
    assert ended.value.code == 2
    assert "--help" in capsys.readouterr().err


def test_with_window_is_accepted_but_not_taught(capsys):
    assert parse(["record", "--with-window"]).with_window
    with pytest.raises(SystemExit):
        parse(["record", "--help"])
    shown = capsys.readouterr().out
    assert "--with-window" not in shown
    assert "murmurscope record --broker" in shown


def _raiser(error):
    def command():
        raise error

    return command


def test_a_problem_becomes_its_sentence_and_its_exit_code(capsys):
    assert guarded(_raiser(trouble("broker.name", host="nowhere"))) == 4
    assert capsys.readouterr().err == "murmurscope: " + trouble("broker.name", host="nowhere").problem.sentence() + "\n"
    assert guarded(_raiser(KeyboardInterrupt())) == 130


def test_a_mistake_of_ours_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        guarded(_raiser(ZeroDivisionError()))


def test_the_version_is_the_packages():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_help_imports_nothing_heavy():
    heavy = ("numpy", "apsw", "peewee", "paho", "PySide6", "msgspec", "psutil", "tomlkit")
    program = f"import sys; from app.cli.parser import build_parser; build_parser(); print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_own_command_runs_this_program_from_any_folder(tmp_path):
    done = subprocess.run(
        own_command("--version"), env=child_environment(), capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout == f"murmurscope {VERSION}\n"


def test_children_of_the_packaged_program_get_the_systems_libraries_back(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setenv("PYINSTALLER_RESET_ENVIRONMENT", "0")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/package/lib")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/own/lib")
    runpy.run_path(str(ROOT / "packaging" / "restore_environment.py"))
    assert own_command("record") == [sys.executable, "record"]
    assert child_environment()["LD_LIBRARY_PATH"] == "/own/lib"
    assert child_environment()["PYINSTALLER_RESET_ENVIRONMENT"] == "1"
    monkeypatch.setenv("LD_LIBRARY_PATH", "/package/lib")
    runpy.run_path(str(ROOT / "packaging" / "restore_environment.py"))
    assert "LD_LIBRARY_PATH" not in child_environment({"A": "b"})


def test_export_names_the_datasets_that_the_store_can_write() -> None:
    """Written twice so that asking for help imports no database; here they are held together."""
    from app.cli.export import DATASETS
    from models.storage.export.run import DATASETS as WRITTEN

    assert tuple(WRITTEN) == DATASETS
