import stat

import pytest

from state.registry.database import STEPS, blank, reading, writing
from state.registry.registry import SqliteRegistry
from state.state_errors import RegistryError, StateError
from tests.state.file_trees import describe_tree
from tests.state.promotions import ENTRY, promote, release

# ---- formats ----

NEXT = (*STEPS, "CREATE TABLE later (x TEXT NOT NULL) STRICT;\nINSERT INTO later VALUES ('made; then filled');\n")


def test_a_newer_format_is_refused_by_readers_and_writers(registry: SqliteRegistry) -> None:
    registry.path.write_bytes(blank(NEXT))
    before = registry.path.read_bytes()
    for act in (registry.read, registry.verify, lambda: registry.append([ENTRY])):
        with pytest.raises(RegistryError, match=f"format {len(NEXT)}, and this program knows {len(STEPS)}") as caught:
            act()
        assert caught.value.hint == "use a newer Canon"
    assert registry.path.read_bytes() == before


def test_an_older_format_is_read_without_being_changed(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    before = describe_tree(registry.path.parent)
    with reading(registry.path, NEXT) as view:
        assert view is not None
        assert not view.copied
        assert view.connection.execute("SELECT x FROM later").fetchall() == [("made; then filled",)]
        assert len(view.connection.execute("SELECT * FROM canonical").fetchall()) == 1
    assert describe_tree(registry.path.parent) == before


def test_the_first_write_brings_an_older_format_up_with_its_records(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    with writing(registry.path, NEXT) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(NEXT),)
        assert connection.execute("SELECT recipe FROM canonical").fetchall() == [("notes",)]
    with pytest.raises(RegistryError, match=f"format {len(NEXT)}"):
        registry.read()


def test_before_an_upgrade_the_registry_is_copied_as_it_was(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    before = registry.path.read_bytes()
    with writing(registry.path, NEXT):
        pass
    copy = registry.path.with_name(f"canon.db.format-{len(STEPS)}")
    assert copy.read_bytes() == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert SqliteRegistry(copy).read().canonicals == {"notes": release(1)}
    with writing(registry.path, NEXT):
        assert copy.read_bytes() == before


def test_a_registry_of_the_newest_format_is_not_copied(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    promote(registry, release(2))
    assert [path.name for path in registry.path.parent.iterdir() if "format" in path.name] == []


def test_a_step_that_fails_leaves_the_older_format(registry: SqliteRegistry) -> None:
    promote(registry, release(1))
    with pytest.raises(StateError), writing(registry.path, (*STEPS, "CREATE TABLE later (x);\nDROP TABLE nothing;\n")):
        pass
    assert registry.read().canonicals == {"notes": release(1)}
