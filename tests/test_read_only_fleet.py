"""A read-only fleet folder, such as one in the store of NixOS: a recipe's tests can write to their copy of it."""

import stat
from pathlib import Path
from typing import cast

from reconciler.core.outcome import Result
from reconciler.ports.commands import RecipeCommand
from tests.pass_results import results
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.world import World


def modes_below(folder: Path) -> dict[str, str]:
    """Return the modes of a folder and of all in it that is no link."""
    paths = (path for path in (folder, *folder.rglob("*")) if not path.is_symlink())
    return {str(path.relative_to(folder)): f"{stat.S_IMODE(path.stat().st_mode):o}" for path in paths}


def test_tests_may_write_where_they_run_and_not_where_their_fleet_or_its_links_lead(tmp_path: Path) -> None:
    world, outside = World(tmp_path), tmp_path / "outside"
    folder = world.declare("notes").folder
    outside.touch()
    (folder / "lib").mkdir()
    (folder / "lib" / "out").symlink_to(outside)
    (folder / "lib" / "gone").symlink_to("nowhere")
    (folder / "lib" / "run").touch()
    for path, mode in {outside: 0o444, folder / "lib" / "run": 0o555, folder / "lib": 0o555, folder: 0o555}.items():
        path.chmod(mode)
    seen: list[dict[str, str]] = []

    def answer(call: Call, honest: CarryOut) -> object:
        if call.name == "commands.run":
            seen.append(modes_below(cast("RecipeCommand", call.args[0]).cwd))
        return honest()

    world.wrap = CallRecorder(answer)
    world.tag("notes", "1.0.0")
    assert results(world.run()) == {"notes": Result.PROMOTED}
    assert {tuple(one.items()) for one in seen} == {((".", "755"), ("lib", "755"), ("lib/run", "755"))}
    assert modes_below(folder) == {".": "555", "lib": "555", "lib/run": "555"}
    assert stat.S_IMODE(outside.stat().st_mode) == 0o444
