from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.host import capacity
from reconciler.host.capacity import bearable, recipes_at_once

GIB = 1024**3


@pytest.mark.parametrize(
    ("cores", "memory", "recipes"),
    [(1, 64 * GIB, 1), (2, 64 * GIB, 1), (4, 64 * GIB, 2), (16, 9 * GIB, 2), (16, 3 * GIB, 1), (16, 0, 1)],
)
def test_a_recipe_wants_two_cores_and_four_gib(cores: int, memory: int, recipes: int) -> None:
    assert recipes_at_once(cores, memory) == recipes


@given(st.integers(0, 512), st.integers(0, 2**50))
def test_there_is_always_one_and_never_more_than_a_half_of_the_cores(cores: int, memory: int) -> None:
    assert 1 <= recipes_at_once(cores, memory) <= max(1, cores // 2)


def test_a_full_cgroup_leaves_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Path("/proc/self/cgroup").read_text().partition("0::/")[2].splitlines()
    folder = tmp_path / (own[0] if own else "")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{8 * GIB}\n")
    (folder / "memory.current").write_text(f"{7 * GIB}\n")
    monkeypatch.setattr(capacity, "_CGROUPS", tmp_path)
    assert bearable() == 1
