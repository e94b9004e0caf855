"""The project's checks, as tests: one command and one count for everything."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
TOOLS = Path(sys.executable).parent
COMMANDS = ["ruff check", "ruff format --check", "mypy", "lint-imports --no-cache"]
HEAVY = {
    "hypothesis",
    "jinja2",
    "pycurl",
    "rich",
    "sqlite3",
    "tenacity",
    "tree_sitter",
    "tree_sitter_toml",
}
# Put together here, so that this file does not name what no file may name.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("repo1", "maven", "org"),
        ("deb", "debian", "org"),
    )
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_check_passes(command: str) -> None:
    tool, *rest = command.split()
    done = subprocess.run([TOOLS / tool, *rest], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.needs("systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for unit in (ROOT / "systemd").iterdir():
        # The program is where an installation puts it, which this machine need not have.
        (tmp_path / unit.name).write_text(unit.read_text().replace("=/opt/canon/bin/reconcile", "=/bin/true"))
    units = sorted(tmp_path.iterdir())
    assert [unit.suffix for unit in units] == [".service", ".timer"]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.needs("systemd-analyze")
def test_the_service_stays_as_confined_as_it_is() -> None:
    rate = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "systemd/reconcile.service"]
    done = subprocess.run(rate, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_one_file_alone_starts_programs_and_one_forks() -> None:
    starts = re.compile(
        r"^\s*(?:from|import)\s+(?:subprocess|multiprocessing|pty)\b|\bos\.(?:system|popen|fork|spawn|posix_spawn)",
        re.MULTILINE,
    )
    doors = {
        path.relative_to(ROOT).as_posix()
        for room in ("desired", "state", "reconciler")
        for path in (ROOT / room).rglob("*.py")
        if not re.search(r"demo/apps|desired/recipes", path.as_posix())
        and starts.search(path.read_text(encoding="utf-8"))
    }
    # A worker is a fork of the command itself, and no other program.
    assert doors == {"reconciler/host/run.py", "reconciler/host/workers.py"}


def test_no_file_of_python_has_more_than_250_lines() -> None:
    lines = {str(path): path.read_text().count("\n") for path in _committed() if path.suffix == ".py"}
    assert len(lines) > 800
    assert {path: count for path, count in lines.items() if count > 250} == {}


def test_no_two_classes_have_the_same_name() -> None:
    # Apps that run as processes of their own, in several releases with the same files.
    apps = ("reconciler/demo/apps/", "tests/swarm/recipes/")
    modules = [path for path in _committed() if path.suffix == ".py"]
    names = Counter(
        node.name
        for path in modules
        if not path.relative_to(ROOT).as_posix().startswith(apps)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    )
    assert names.total() > 300
    assert [name for name, times in names.items() if times > 1] == []


def test_nothing_above_the_host_knows_docker_but_the_audit_which_shares_no_code_with_it() -> None:
    told = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "reconciler").rglob("*.py")
        if not path.relative_to(ROOT).as_posix().startswith(("reconciler/host/", "reconciler/audit/"))
        and re.search("docker", path.read_text("utf-8"), re.IGNORECASE)
    }
    assert told == set()


def test_no_committed_file_names_a_package_registry() -> None:
    naming = [path for path in _committed() if any(host in path.read_text(errors="replace") for host in REGISTRIES)]
    assert naming == []


def test_the_lock_satisfies_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [Requirement(text) for text in project["project"]["dependencies"] + project["dependency-groups"]["dev"]]
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    unmet = [str(one) for one in asked if one.name not in locked or Version(locked[one.name]) not in one.specifier]
    assert unmet == []


@pytest.mark.parametrize(("lock", "least"), [("requirements.lock", 20), ("tests/browser.lock", 2)])
def test_every_locked_version_has_hashes(lock: str, least: int) -> None:
    lines = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert len(pinned) > least
    assert [line for line in pinned if "--hash=sha256:" not in line] == []


def test_asking_for_help_loads_nothing_heavy() -> None:
    ask = [sys.executable, "-X", "importtime", "-m", "reconciler", "--help"]
    done = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "click" in loaded
    assert loaded & HEAVY == set()


def _committed() -> list[Path]:
    """Every file under git that is there, but for generated ones nobody would look into."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in names.split("\0") if name]
    return [path for path in paths if path.is_file()]
