import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from app import parts as module
from app.parts import DIRECT, own_licence, parts, versions
from app.version import VERSION

ROOT = Path(__file__).resolve().parents[3]


def test_from_source_the_works_that_we_ask_for_are_named():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert sorted(DIRECT, key=str.lower) == sorted((text.split(">")[0].split("=")[0] for text in wanted), key=str.lower)
    found = {part.name: part for part in parts()}
    assert set(found) == set(DIRECT)
    assert found["keyring"].version == metadata.version("keyring")
    assert found["keyring"].licence == "MIT"
    assert "Permission is hereby granted" in found["keyring"].text()


def test_versions_name_the_program_and_what_it_stands_on():
    told = dict(versions())
    assert told["Murmurscope"] == f"{VERSION} (from source)"
    assert told["Python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert told["SQLite"].startswith("3.")
    assert set(DIRECT) <= set(told)


def test_a_package_tells_what_its_index_lists(tmp_path, monkeypatch):
    folder = tmp_path / "licences"
    (folder / "qt").mkdir(parents=True)
    (folder / "qt" / "LGPL-3").write_text("LESSER")
    (folder / "qt" / "NOTICE").write_text("notice")
    (folder / "LICENSE").write_text("Apache")
    (folder / "INDEX").write_text(
        f"{'qt':24} {'6.11.3':24} LGPL-3.0-only\n{'mosquitto':24} {'2.0.11-1.2':24} see copyright\n"
    )
    monkeypatch.setattr(module, "is_frozen", lambda: True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "murmurscope"))
    assert [(part.name, part.version, part.licence) for part in parts()] == [
        ("qt", "6.11.3", "LGPL-3.0-only"), ("mosquitto", "2.0.11-1.2", "see copyright"),
    ]  # fmt: skip
    assert parts()[0].text().startswith("LESSER")
    assert "notice" in parts()[0].text()
    assert own_licence() == "Apache"
    assert dict(versions())["Murmurscope"] == VERSION


@pytest.mark.skipif(not (ROOT / "LICENSE").exists(), reason="no checkout")
def test_our_own_licence_is_there():
    assert "Apache License" in own_licence()
