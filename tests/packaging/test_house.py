"""Rules of the house that no linter knows, checked on the tracked tree."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("app", "widgets", "mqtt", "models")
MOST_LINES = 400
HAS_GIT = shutil.which("git") is not None
SKIPPED_FOLDERS = {".git", ".venv", "build", "dist", "__pycache__"}
# spelled so that this file does not find itself
REGISTRIES = "|".join(("py" + "pi", "python" + "hosted", "npm" + "js", "index-" + "url", "registry"))


def tracked(*folders: str, suffix: str = "") -> list[Path]:
    """Files git knows; where git is missing or refuses, every file that is not generated."""
    command = ["git", "ls-files", "-z", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True) if HAS_GIT else None
    if listed is not None and listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [path for folder in folders or (".",) for path in (ROOT / folder).rglob("*")]
        paths = [path for path in paths if not SKIPPED_FOLDERS & set(path.relative_to(ROOT).parts)]
    return sorted(path for path in paths if path.name.endswith(suffix) and path.is_file())


def findings(pattern: str, paths: list[Path]) -> list[str]:
    """Every line that matches, as file:line: text."""
    wanted = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in paths
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if wanted.search(line)
    ]


def python_files(*folders: str) -> list[Path]:
    found = tracked(*folders, suffix=".py")
    assert found, f"no Python file in {folders}: the check would pass on nothing"
    return found


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"CERT_NONE|tls_insecure_set|check_hostname\s*=\s*False|_create_unverified", "TLS is verified, always"),
        (r"^\s*(import|from)\s+sqlite3\b", "apsw is the one SQLite engine"),
        (r"TextFormat\.(RichText|MarkdownText)", "text from outside is plain text"),
        (r"^\s*(import|from)\s+pickle\b|\beval\(|\bos\.system\(|shell=True", "nothing from outside is run"),
    ],
)
def test_product_never_has(pattern: str, why: str) -> None:
    assert not findings(pattern, python_files(*PRODUCT, "packaging")), why


def test_tests_wait_for_something_and_do_not_sleep() -> None:
    measuring = ROOT / "tests/benchmarks"  # takes figures over a time
    paths = [path for path in python_files("tests") if path != ROOT / "tests/helpers/poll.py"]
    paths = [path for path in paths if measuring not in path.parents]
    assert not findings(r"\btime\.sleep\(|from time import .*\bsleep\b|qtbot\.wait\(", paths), (
        "use tests.helpers.poll.until"
    )


def test_texts_of_the_window_can_be_collected() -> None:
    """The collector reads source: only a literal in `tr` or `translate` reaches the translators."""
    words = ROOT / "widgets/common/words.py"  # its tables are marked with QT_TRANSLATE_NOOP
    strange = []
    for path in python_files("widgets", "app/window"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            texts = node.args[:1] if name == "tr" else node.args[:2] if name == "translate" else []
            if name == "translate" and not (texts and isinstance(texts[0], ast.Constant) and path != words):
                continue  # a painter's, a string's
            if not all(isinstance(text, ast.Constant) and isinstance(text.value, str) for text in texts):
                strange.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not strange, "no literal"


def test_modules_stay_small() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in python_files(*PRODUCT)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert not long, f"over {MOST_LINES} lines: split along what they do"


def test_packaging_names_no_package_registry() -> None:
    paths = [*tracked("packaging", ".ci", "resources/examples"), ROOT / "pyproject.toml"]
    assert not findings(rf"(?i)https?://[^\s\"']*({REGISTRIES})", paths)


def test_the_lock_of_the_node_example_holds_hashes_and_no_addresses() -> None:
    folder = ROOT / "resources/examples/node"
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    own = lock["packages"].pop("")
    assert own["dependencies"] == wanted, "run npm install there"
    assert len(lock["packages"]) > 20
    assert all("integrity" in one and "resolved" not in one for one in lock["packages"].values())


def test_constraints_are_pins_with_hashes_and_nothing_else() -> None:
    text = (ROOT / "packaging/constraints.txt").read_text(encoding="utf-8")
    requirements = text.replace("\\\n", " ").splitlines()
    assert len(requirements) > 20
    pin = re.compile(r"[a-z0-9][a-z0-9.-]*==[0-9][\w.]*(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [line[:80] for line in requirements if not pin.fullmatch(line)] == []


def test_constraints_hold_what_pyproject_wants() -> None:
    tomllib = pytest.importorskip("tomllib")
    requirements = pytest.importorskip("packaging.requirements")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pins = dict(
        line.split()[0].split("==")
        for line in (ROOT / "packaging/constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    wanted = map(requirements.Requirement, project["project"]["dependencies"] + project["dependency-groups"]["dev"])
    stale = [
        str(one) for one in wanted if not one.specifier.contains(pins.get(one.name.lower().replace("_", "-"), "0"))
    ]
    assert not stale, "run packaging/lock.sh"


def test_signals_survive_ten_thousand_emits() -> None:
    """A PySide6 that loses a reference to True at each emit aborts within some hundreds on this Python."""
    program = """
from PySide6.QtCore import QObject, Signal

class Source(QObject):
    changed = Signal(bool)

seen = 0

def count(value):
    global seen
    seen += value

source = Source()
source.changed.connect(count)
for _ in range(10_000):
    source.changed.emit(True)
assert seen == 10_000, seen
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-500:]}"
