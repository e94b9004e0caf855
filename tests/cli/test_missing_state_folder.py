"""A state folder that is not there, as after a mistyped --state: no command lets it pass for one that is in order."""

import pytest

from tests.cli.one_recipe_fleet import OneRecipeFleet

LOOKING = (
    ("--dry-run",),
    ("plan",),
    ("drift",),
    ("status",),
    ("status", "jot"),
    ("explain",),
    ("history",),
    ("events",),
    ("report", "--html", "-"),
)
OF_RECORDS = (
    ("hold", "jot", "--reason", "so"),
    ("resume", "jot"),
    ("raise", "jot"),
    ("logs", "jot"),
    ("evidence", "jot"),
)
WITH_NOTES = ("--dry-run", "plan", "drift", "status", "explain")


def there_is_none(jot: OneRecipeFleet) -> str:
    return f"there is no state folder at {jot.folder}/typo yet: the first pass makes it"


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
@pytest.mark.parametrize("is_empty", [False, True], ids=["missing", "empty"])
def test_looking_at_a_state_folder_that_is_not_there_says_so(
    jot: OneRecipeFleet, command: tuple[str, ...], *, is_empty: bool
) -> None:
    if is_empty:
        (jot.folder / "typo").mkdir()
    done = jot.run(*command, "--state", "typo")
    assert there_is_none(jot) in done.out + done.err, done
    assert list(jot.folder.glob("typo/*")) == []
    if command[0] in WITH_NOTES and len(command) == 1:
        assert jot.json(*command, "--state", "typo").document["notes"] == [there_is_none(jot)]


@pytest.mark.parametrize("command", OF_RECORDS, ids=lambda words: words[0])
def test_a_command_about_records_says_that_there_is_no_state_folder(
    jot: OneRecipeFleet, command: tuple[str, ...]
) -> None:
    done = jot.run(*command, "--state", "typo")
    assert f"note: {there_is_none(jot)}\n" in done.err


@pytest.mark.parametrize("made", [False, True], ids=["missing", "without records"])
def test_an_audit_of_no_records_is_an_error_and_not_agreement(jot: OneRecipeFleet, *, made: bool) -> None:
    if made:
        (jot.state / "mirrors").mkdir(mode=0o700, parents=True)
    done = jot.run("audit")
    assert (done.code, done.out) == (78, ""), done
    assert ("nothing is recorded in" if made else "there is no state folder at") in done.err
    assert "there is nothing to audit" in done.err


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
def test_a_state_folder_with_records_has_no_such_note(settled: OneRecipeFleet, command: tuple[str, ...]) -> None:
    done = settled.run(*command)
    assert "there is no state folder" not in done.out + done.err
    assert "nothing is recorded in" not in done.out + done.err
    if command[0] in WITH_NOTES and len(command) == 1:
        assert settled.json(*command).document["notes"] == []
