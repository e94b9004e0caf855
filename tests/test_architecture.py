"""ARCHITECTURE.md says where things are: what it names is there, and no package is left out."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "ARCHITECTURE.md").read_text()
NAMED = set(re.findall(r"`((?:desired|state|reconciler|tests)/[\w/.]*)(?:::(\w+))?`", PAGE))


def defined(path: Path) -> set[str]:
    """The functions and classes at the top of a module."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, kinds)}


def test_every_path_that_the_page_names_is_there() -> None:
    assert len(NAMED) > 40
    assert {path for path, _ in NAMED if not (ROOT / path).exists()} == set()


def test_every_function_and_class_that_the_page_names_is_defined_there() -> None:
    named = {(path, name) for path, name in NAMED if name}
    assert len(named) > 20
    assert {f"{path}::{name}" for path, name in named if name not in defined(ROOT / path)} == set()


def test_every_package_is_named() -> None:
    roots = ("desired", "state", "reconciler")
    packages = {f"{init.parent.relative_to(ROOT)}/" for root in roots for init in (ROOT / root).rglob("__init__.py")}
    unnamed = packages - {path for path, _ in NAMED} - {"reconciler/"}
    assert unnamed == set()
