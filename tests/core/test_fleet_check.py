"""What `reconcile doctor` concludes from a fleet folder."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.fleet_check import check_fleet
from reconciler.core.host_checks import CheckResult

FILES = st.sets(st.sampled_from("abcdef"))


@given(FILES, FILES)
def test_a_fleet_fails_exactly_if_a_file_of_a_recipe_cannot_be_read_and_warns_of_others(
    files: set[str], of_recipes: set[str]
) -> None:
    unread = files | of_recipes
    check = check_fleet("1 of 1", 1, dict.fromkeys(unread, "denied"), of_recipes)
    expected = CheckResult.FAILED if of_recipes else CheckResult.WARNING if files else CheckResult.OK
    assert (check.result, bool(check.hint)) == (expected, bool(unread))


@given(FILES)
def test_three_unread_files_are_named_and_the_others_are_counted(files: set[str]) -> None:
    found = check_fleet("1 of 1", 1, dict.fromkeys(files, "denied"), []).found
    assert found.count("denied") == min(3, len(files))
    assert ("more" in found) == (len(files) > 3)
    assert f"{len(files) - 3} more" in found or len(files) <= 3


def test_a_fleet_without_an_enrolled_recipe_fails_whatever_can_be_read() -> None:
    check = check_fleet("0 of 1", 0, {"notes": "denied"}, [])
    assert (check.result, check.hint) == (CheckResult.FAILED, "declare one: recipes/NAME/recipe.toml")
