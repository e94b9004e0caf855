"""`status` and `drift` with a declared age after which the last whole pass is stale."""

import time
from datetime import UTC, datetime, timedelta

from state.records import LedgerEntry
from tests.cli.one_recipe_fleet import OneRecipeFleet


def declare_stale(jot: OneRecipeFleet, limit: str) -> None:
    file = jot.fleet / "fleet.toml"
    file.write_text(file.read_text().replace("[fleet]\n", f'[fleet]\nstale = "{limit}"\n'))


def test_a_stale_pass_makes_status_and_drift_exit_with_1_until_a_whole_pass_ends(settled: OneRecipeFleet) -> None:
    declare_stale(settled, "1s")
    time.sleep(1.1)
    for command in ("status", "drift"):
        done = settled.run(command)
        assert done.code == 1, done
        assert "note: the last whole pass ended on " in done.out
        document = settled.json(command).document
        assert document["exit_code"] == 1
        assert document["last_whole_pass"]["stale"] is True
        assert document["notes"][-1].startswith("the last whole pass ended on ")
    assert settled.run("--dry-run").code == 0

    declare_stale(settled, "1d")  # the first of the two keys is this one
    (settled.fleet / "fleet.toml").write_text((settled.fleet / "fleet.toml").read_text().replace('stale = "1s"\n', ""))
    assert settled.run("-q").code == 0
    for command in ("status", "drift"):
        done = settled.run(command)
        assert (done.code, "last whole pass: " in done.out) == (0, True), done


def test_a_fleet_without_any_whole_pass_is_stale(jot: OneRecipeFleet) -> None:
    declare_stale(jot, "15d")
    done = jot.run("status")
    assert (done.code, "no pass over the whole fleet is recorded, [fleet] stale is 15 d" in done.out) == (1, True), done


def record_pass(jot: OneRecipeFleet, ended: datetime) -> None:
    """Record the end of a pass over the whole fleet, as a host does whose clock shows the time `ended`."""
    body = {"exit_code": 0, "selected": None, "signal": None}
    jot.registry.append([LedgerEntry(ended, "pass-end", "", body)])


def test_a_pass_of_a_clock_that_was_ahead_is_stale_and_a_fault_of_the_clock_until_another_pass_ended(
    settled: OneRecipeFleet,
) -> None:
    declare_stale(settled, "15d")
    ahead = datetime.now(UTC) + timedelta(days=1000)
    record_pass(settled, ahead)
    for command in ("status", "drift"):
        done = settled.run(command)
        assert (done.code, "in the future: check the clock" in done.out) == (1, True), done
        assert settled.json(command).document["last_whole_pass"]["stale"] is True
    assert clock_row(settled) == ("failed", True)
    assert settled.run("-q").code == 0
    assert settled.run("status").code == 0
    assert clock_row(settled)[0] != "failed"


def clock_row(jot: OneRecipeFleet) -> tuple[str, bool]:
    """Return the result of doctor's check of the clock, and whether it names a record that is later than now."""
    row = next(check for check in jot.json("doctor").document["checks"] if check["name"] == "clock")
    return row["result"], "is of " in row["found"] and "but" in row["found"]
