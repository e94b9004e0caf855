"""Tests against the real kernel, which kills programs when memory runs out."""

import pytest

from reconciler.host.memory import count_files, oom_kills, was_oom_killed
from tests.child_processes import GREEDY, output_in_little_memory

COMMAND = """\
import sys
from datetime import timedelta
from pathlib import Path
from reconciler.ports.commands import RecipeCommand
from reconciler.host.command_runner import HostCommands
slot, *argv = sys.argv[1:]
command = RecipeCommand(tuple(argv), Path(slot), {}, timedelta(minutes=1), Path(slot) / "log", slot)
ran = HostCommands({"PATH": "/usr/bin:/bin"}, Path(slot)).run(command)
print(ran.code, ran.out_of_memory)
"""
APP = """\
import sys, time
from pathlib import Path
from reconciler.errors import InfrastructureError
from tests.procfile_apps import OPTIONS, checkout, process_driver, app_in_slot
folder, line = Path(sys.argv[1]), sys.argv[2]
app = app_in_slot(folder / "work" / "slot")
with process_driver(app.folder.parent) as driver:
    driver.deploy(app, checkout(folder / "one", web=line), OPTIONS)
    try:
        while getattr(seen := driver.status(app), "reason", "") == "":
            time.sleep(0.1)
        print(seen.reason)
    except InfrastructureError as failed:
        print(failed.message, failed.hint, sep="; ")
"""


@pytest.mark.needs("root")
@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (GREEDY, "-9 True"),
        (("sh", "-c", '"$@"', "sh", *GREEDY), "137 True"),
        (("sh", "-c", "kill -9 $$"), "-9 False"),
        (("sh", "-c", '"$@"; exit 3', "sh", *GREEDY), "3 False"),
    ],
)
def test_a_command_that_is_killed_for_memory_is_distinguished_from_one_that_is_killed(
    tmp_path: object, argv: tuple[str, ...], said: str
) -> None:
    assert output_in_little_memory(COMMAND, tmp_path, *argv).strip() == said


@pytest.mark.needs("root")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "exec python3 -c 'x = bytearray(600 << 20)'",
            "notes: web was killed because memory ran out; give this host more",
        ),
        ("kill -9 $$", "web ended with exit code 137 (SIGKILL)"),
    ],
)
def test_an_app_that_is_killed_for_want_of_memory_blames_the_host(tmp_path: object, line: str, said: str) -> None:
    assert output_in_little_memory(APP, tmp_path, line).startswith(said)


@pytest.mark.parametrize(
    ("cgroups", "paths"),
    [
        ("0::/system.slice/reconcile.service\n", ["system.slice/reconcile.service/memory.events"]),
        ("0::/\n", ["memory.events"]),
        ("4:memory:/a\n1:name=systemd:/b:c\n0::/\n", ["memory/a/memory.oom_control", "memory.events"]),
        ("", []),
    ],
)
def test_the_counts_of_our_own_cgroup_are_read(cgroups: str, paths: list[str]) -> None:
    assert [str(path.relative_to("/sys/fs/cgroup")) for path in count_files(cgroups)] == paths


@pytest.mark.parametrize("code", [None, 0, 1, -15, 143, -11])
def test_another_end_of_a_program_is_not_taken_for_lack_of_memory(code: int | None) -> None:
    assert not was_oom_killed(code, oom_kills() - 1)
    assert was_oom_killed(-9, oom_kills() - 1)
    assert not was_oom_killed(-9, oom_kills() + 1)
