from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.declarations.rules import needs_flaws
from tests.desired.broken_fleets import DURATION, FLEET_RULES, UNIT, names
from tests.fleet_declarations import FLEET, RECIPE, problem_texts, write_fleet

ONE_WAY = "only one of http, tcp and run can be declared"
NO_RESTORE = "needs restore: a backup counts once it is restored"
NO_REDIRECT = "counts a redirect, which the proxy of [swarm] may send by itself: use run"
NO_OVERLAYS = 'is only for driver = "swarm" or "abra": a Procfile has no overlays'
NO_CHECK = "needs [data] check, without which a restore proves nothing"


@pytest.mark.parametrize(("text", "expected"), FLEET_RULES)
def test_a_rule_of_the_fleet_names_line_and_column(tmp_path: Path, text: str, expected: list[str]) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": RECIPE, "wiki": RECIPE}, text)
    assert problem_texts(folder) == [f"fleet.toml:{line}" for line in expected]


# What [defaults] say, what two recipes say below RECIPE, and each problem with its file.
DEFAULTS_RULES = [
    (
        "[defaults.backup]\ntake = ['t']",
        "",
        [f"fleet.toml:5:1: defaults.backup.take {NO_CHECK}", f"fleet.toml:5:1: defaults.backup.take {NO_RESTORE}"],
    ),
    ("[defaults.backup]\ntake = ['t']", "[backup]\nrestore = ['r']\n[data]\ncheck = ['c']", []),
    (
        "[defaults.backup]\ntake = ['t']\n[defaults.data]\ncheck = 5",
        "[backup]\nrestore = ['r']",
        [
            f"fleet.toml:5:1: defaults.backup.take {NO_RESTORE}",
            "fleet.toml:7:1: defaults.data.check wants a list, not 5",
        ],
    ),
    (
        "[defaults.ready]\nhttp = '/'\ntcp = true",
        "",
        [f"fleet.toml:6:1: defaults.ready.tcp is there beside http: {ONE_WAY}"],
    ),
    ("[defaults.ready]\nhttp = '/'\ntcp = true", "[ready]\nrun = ['x']", []),
    ("[defaults.ready]\nhttp = '/up'\nstatus = [204]", "[ready]\ntcp = true", []),
    (
        "[defaults.ready]\nhttp = '/up'\nstatus = [204]",
        "[ready]\ntcp = true\nstatus = [204]",
        ["recipes/notes/recipe.toml:5:1: ready.status is only for http"],
    ),
    (
        "[swarm]\nproxy = 'http://127.0.0.1'",
        "driver = 'swarm'\n[ready]\nstatus = [200, 301]",
        [f"recipes/notes/recipe.toml:5:1: ready.status {NO_REDIRECT}"],
    ),
    ("[swarm]\nproxy = 'http://127.0.0.1'", "driver = 'swarm'\n[ready]\nstatus = [200, 404]", []),
    ("[swarm]\nproxy = 'http://127.0.0.1'", "[ready]\nstatus = [301]", []),
    ("[swarm]\nproxy = 'direct'", "driver = 'swarm'\n[ready]\nstatus = [301]", []),
    (
        "[defaults.upgrade]\nbase = '1.0.0'\nreason = 'x'",
        "[upgrade]\nbase = '1.1.0'",
        ['recipes/notes/recipe.toml:4:1: upgrade.base is pinned, which needs reason = "why"'],
    ),
    (
        "[defaults.install]\nneeds = ['wik']",
        "",
        ['fleet.toml:5:10: defaults.install.needs[0] names "wik", which is not declared; did you mean wiki?'],
    ),
    (
        "[defaults.install]\nneeds = ['wiki']",
        "",
        ["fleet.toml:5:10: defaults.install.needs[0] names the recipe itself"],
    ),
    (
        "[defaults.recipe]\nenrolled = false",
        "",
        ['fleet.toml:5:1: defaults.recipe.enrolled is false, which needs exception = "why"'],
    ),
    (
        "[defaults.recipe]\nenrolled = false",
        "exception = 'x'",
        ['fleet.toml:5:1: defaults.recipe.enrolled is false, which needs exception = "why"'],
    ),
    (
        "[defaults.install]\noverlays = ['compose.ci.yml']",
        "driver = 'swarm'",
        [
            f"fleet.toml:5:1: defaults.install.overlays {NO_OVERLAYS}",
            'fleet.toml:5:13: defaults.install.overlays[0] names "compose.ci.yml", which is no file in recipes/notes',
            'fleet.toml:5:13: defaults.install.overlays[0] names "compose.ci.yml", which is no file in recipes/wiki',
        ],
    ),
    ("[defaults.install]\noverlays = ['compose.ci.yml']", "[install]\noverlays = []", []),
    (
        "[defaults.data]\nmarc = ['m']",
        "",
        ["fleet.toml:5:1: defaults.data.marc is not a known key; did you mean mark?"],
    ),
]


@pytest.mark.parametrize(("defaults", "own", "expected"), DEFAULTS_RULES)
def test_a_problem_of_defaults_is_reported_once_where_it_is_written(
    tmp_path: Path, defaults: str, own: str, expected: list[str]
) -> None:
    # Where no problem is expected, a recipe without keys of its own would have one.
    recipes = {"notes": f"{RECIPE}{own}\n", "wiki": RECIPE if expected else f"{RECIPE}{own}\n"}
    folder = write_fleet(tmp_path / "fleet", recipes, f"{FLEET}{defaults}\n")
    assert problem_texts(folder) == expected


def test_an_upstream_may_come_from_the_defaults_but_not_from_nowhere(tmp_path: Path) -> None:
    recipes = {"a": "", "b": "[recipe]\n", "c": "[ready]\ntcp = true\n", "d": "# d\n[recipe]\nupsteam = 'x'\n"}
    assert problem_texts(write_fleet(tmp_path / "fleet", recipes)) == [
        "recipes/a/recipe.toml:1:1: recipe.upstream is missing",
        "recipes/b/recipe.toml:1:2: recipe.upstream is missing",
        "recipes/c/recipe.toml:1:1: recipe.upstream is missing",
        "recipes/d/recipe.toml:3:1: recipe.upsteam is not a known key; did you mean upstream?",
    ]


# Who needs whom, and each circle with the recipe and the index of its need where it is reported.
NEEDS = [
    ({"a": ["b"], "b": ["a"]}, [("a", 0, "a → b → a")]),
    ({"b": ["c", "a"], "a": ["c", "b"], "c": []}, [("a", 1, "a → b → a")]),
    ({"c": ["a"], "a": ["b"], "b": ["c"]}, [("a", 0, "a → b → c → a")]),
    (
        {"a": ["b"], "b": ["a"], "x": ["y"], "y": ["x"], "z": ["a", "y"]},
        [("a", 0, "a → b → a"), ("x", 0, "x → y → x")],
    ),
    ({"a": ["c", "b"], "b": ["c"], "c": []}, []),
]


@pytest.mark.parametrize(("needs", "circles"), NEEDS)
def test_a_circle_of_needs_is_named_at_its_first_recipe(
    tmp_path: Path, needs: dict[str, list[str]], circles: list[tuple[str, int, str]]
) -> None:
    recipes = {name: f"{RECIPE}[install]\nneeds = {needed}\n" for name, needed in needs.items()}
    assert problem_texts(write_fleet(tmp_path / "fleet", recipes)) == [
        f"recipes/{name}/recipe.toml:4:{10 + 5 * at}: install.needs[{at}] forms a circle: {circle}"
        for name, at, circle in circles
    ]


@given(st.dictionaries(names, st.lists(names, max_size=3, unique=True), min_size=1))
def test_needs_have_no_flaw_exactly_if_there_is_an_order_to_provision_them_in(needs: dict[str, list[str]]) -> None:
    provisioned: set[str] = set()
    while ready := {name for name in needs.keys() - provisioned if provisioned.issuperset(needs[name])}:
        provisioned |= ready
    flaws = list(needs_flaws(needs))
    assert (not flaws) == (provisioned == needs.keys())
    assert all(needs[name][int(flaw.path[-1])] in flaw.message for name, flaw in flaws if "itself" not in flaw.message)


def test_a_recipe_whose_file_cannot_be_read_is_declared_all_the_same(tmp_path: Path) -> None:
    folder = write_fleet(tmp_path / "fleet", {"a": f"{RECIPE}[install]\nneeds = ['b']\n", "b": "b"})
    assert problem_texts(folder) == [
        "recipes/b/recipe.toml:1:2: is not valid TOML: expected '=' after a key in a key/value pair"
    ]


def test_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    folder = write_fleet(
        tmp_path / "fleet",
        {
            "notes": "[recipe]\nupsteam = 'x'\n[ready]\ntimeout = 5\n[tiers]\ninstall = 'x'\n",
            "wiki": f"{RECIPE}upstream = 'y'\n",
        },
        "format = 1\n[fleet]\nname = 'ci'\nunit = 'x'\n",
    )
    assert problem_texts(folder) == [
        f'fleet.toml:4:1: fleet.unit {UNIT}, not "x"',
        "recipes/notes/recipe.toml:2:1: recipe.upsteam is not a known key; did you mean upstream?",
        f"recipes/notes/recipe.toml:4:1: ready.timeout {DURATION}, not 5",
        "recipes/notes/recipe.toml:6:1: tiers.install may not be left out: without an install nothing is tried",
        "recipes/wiki/recipe.toml:3:1: upstream is there twice",
    ]


def test_without_a_fleet_file_each_recipe_still_speaks_for_itself(tmp_path: Path) -> None:
    folder = write_fleet(
        tmp_path / "fleet", {"notes": "[recipe]\ndriver = 'x'\n[backup]\ntake = ['t']\n"}, "format = 1\nformat = 1\n"
    )
    assert problem_texts(folder) == [
        "fleet.toml:2:1: format is there twice",
        'recipes/notes/recipe.toml:2:1: recipe.driver wants one of "process", "swarm", "abra", not "x"',
    ]
