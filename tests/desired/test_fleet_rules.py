from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.declarations.rules import needs_flaws
from tests.fleet_declarations import FLEET, RECIPE, problem_texts, write_fleet

DURATION = 'wants a duration such as "30s", "10m", "2h" or "3d"'
VARIABLE = "is not the name of a variable: letters, digits and _, no digit first"
NO_PATH = "may not be set: child processes get the PATH of Canon"
ONE_WAY = "only one of http, tcp and run can be declared"
NO_RESTORE = "needs restore: a backup counts once it is restored"
NO_REDIRECT = "counts a redirect, which the proxy of [swarm] may send by itself: use run"
NO_OVERLAYS = 'is only for driver = "swarm" or "abra": a Procfile has no overlays'
PROTOCOL = 'wants one of "https", "ssh", "http", "file"'
PROXY = 'wants "direct", or the URL of a proxy such as "http://127.0.0.1:8080"'
ZONE = 'wants a domain in lower case, such as "ci.example"'
UNIT = 'wants the name of a unit that ends in ".service", or ""'
PUSH = 'wants an address with {recipe} once, such as "ssh://git@forge.example/mirrors/{recipe}.git"'
NO_CHECK = "needs [data] check, without which a restore proves nothing"


OURS = ["HOME", "LANG", "LC_ALL", "TMPDIR", "URL", "VERSION", "CANON_SLOT", "SSH_ASKPASS"]
UNVERIFIED = "an upstream that is not verified proves nothing"
OF_GIT = "of git's own variables only those for TLS, proxies and ssh are passed on"

# A whole fleet.toml, with its problems.
FLEET_RULES = [
    ("", ["1:1: fleet.name is missing", "1:1: format is missing: write format = 1"]),
    ("format = 1\n[fleet]\n", ["2:2: fleet.name is missing"]),
    ("[fleet]\nname = 'ci'\n", ["1:1: format is missing: write format = 1"]),
    ("format = 2\nfleet.name = 'ci'", ["1:1: format wants 1, not 2"]),
    ("format = true\nfleet.name = 'ci'", ["1:1: format wants 1, not true"]),
    ("format = 1.0\nfleet.name = 'ci'", ["1:1: format wants 1, not 1.0"]),
    ("fromat = 1\nfleet.name = 'ci'", ["1:1: fromat is not a known key; did you mean format"]),
    ("format = 1\nfleet = 'ci'", ['2:1: fleet wants a table, not "ci"']),
    ("format = 1\nfleet.name = ''", ['2:7: fleet.name wants one line of text, not ""']),
    ("format = 1\nfleet.nam = 'ci'", ["2:7: fleet.nam is not a known key; did you mean name"]),
    ("format = 1\nfleet = { name = 'ci', unit = 'reconcile' }", [f'2:24: fleet.unit {UNIT}, not "reconcile"']),
    ("format = 1\nfleet = { name = 'ci', unit = 'a b.service' }", [f'2:24: fleet.unit {UNIT}, not "a b.service"']),
    (
        "format = 1\nfleet = { name = 'ci', protocols = ['https', 'git'] }",
        [f'2:46: fleet.protocols[1] {PROTOCOL}, not "git"'],
    ),
    ("format = 1\nfleet = { name = 'ci', protocols = 'https' }", ['2:24: fleet.protocols wants a list, not "https"']),
    (
        "format = 1\nfleet.name = 'ci'\nenvironment.pass = ['A', 'PATH', 'A=B', 1]",
        [
            f"3:26: environment.pass[1] {NO_PATH}",
            f"3:34: environment.pass[2] {VARIABLE}",
            f"3:41: environment.pass[3] {VARIABLE}",
        ],
    ),
    *[
        (
            f"format = 1\nfleet.name = 'ci'\n[environment]\npass = ['{name}']",
            [f"4:9: environment.pass[0] names {expected}"],
        )
        for name, expected in [
            *((name, f"{name}, which Canon itself sets for child processes") for name in OURS),
            ("GIT_SSL_NO_VERIFY", f"GIT_SSL_NO_VERIFY: {UNVERIFIED}; did you mean GIT_SSL_CAINFO"),
            ("GIT_SSL_CA_INFO", f"GIT_SSL_CA_INFO: {OF_GIT}; did you mean GIT_SSL_CAINFO"),
            ("GIT_SSH", f"GIT_SSH: {OF_GIT}; did you mean GIT_SSH_COMMAND"),
            ("GIT_DIR", f"GIT_DIR: {OF_GIT}"),
            ("GIT_CONFIG_GLOBAL", f"GIT_CONFIG_GLOBAL: {OF_GIT}"),
            ("GIT_", f"GIT_: {OF_GIT}"),
        ]
    ],
    ("format = 1\nfleet.name = 'ci'\n[mirrors]\npush = ''", ["3:2: mirrors is not a known key; did you mean mirror"]),
    (
        "format = 1\nfleet.name = 'ci'\n[mirror]\npush = 'ssh://git@forge.example/notes.git'\ntoken = 'x'",
        [
            f'4:1: mirror.push {PUSH}, not "ssh://git@forge.example/notes.git"',
            "5:1: mirror.token is only for a push by https or http",
        ],
    ),
    (
        "format = 1\nfleet.name = 'ci'\n[mirror]\npush = 'http://forge.example/{recipe}.git'\ntoken = 'a b'",
        [
            "4:1: mirror.push uses http, which is not in [fleet] protocols",
            '5:1: mirror.token wants the absolute path of a file, or the name of a systemd credential, not "a b"',
        ],
    ),
    (
        "format = 1\nfleet.name = 'ci'\n[mirror]\npush = 'https://me:secret@forge.example/{recipe}.git'",
        [
            (
                "4:1: mirror.push has a user, a token or a password, which reports would show: "
                "use a key, as ssh://git@host/path.git"
            )
        ],
    ),
    *[
        (f"format = 1\nfleet.name = 'ci'\n[swarm]\nzone = {bad}", [f"4:1: swarm.zone {ZONE}, not {expected}"])
        for bad, expected in [
            ("''", '""'),
            ("'CI.example'", '"CI.example"'),
            ("'-ci.example'", '"-ci.example"'),
            ("'ci-.example'", '"ci-.example"'),
            ("'ci..example'", '"ci..example"'),
            ("'ci.example.'", '"ci.example."'),
            ("'ci_1'", '"ci_1"'),
            ("5", "5"),
            (f"'{'a' * 64}'", f'"{"a" * 60}…"'),
            (f"'a{'.a' * 95}'", f'"{"a." * 30}…"'),
        ]
    ],
    *[
        (f"format = 1\nfleet.name = 'ci'\n[swarm]\nproxy = '{bad}'", [f'4:1: swarm.proxy {PROXY}, not "{bad}"'])
        for bad in [
            "",
            "Direct",
            "127.0.0.1:8080",
            "http://",
            "http://10.0.0.1/",
            "http://10.0.0.1/a",
            "http://u@10.0.0.1",
            "http://10.0.0.1:0",
            "http://10.0.0.1:65536",
            "http://10.0.0.1:99999",
            "ftp://10.0.0.1",
            "http://a b",
        ]
    ],
    ("format = 1\nfleet.name = 'ci'\nswarm.zones = 'x'", ["3:7: swarm.zones is not a known key; did you mean zone"]),
    (
        "format = 1\nfleet.name = 'ci'\n[defaults]\nrecipe = 1\nready.timeout = 1",
        ["4:1: defaults.recipe wants a table, not 1", f"5:7: defaults.ready.timeout {DURATION}, not 1"],
    ),
    (
        "format = 1\nfleet.name = 'ci'\n[defaults.recip]\ndriver = 'process'",
        ["3:11: defaults.recip is not a known key; did you mean recipe"],
    ),
    ("format = 1\nfleet.name = 'ci'\ndefaults = 5", ["3:1: defaults wants a table, not 5"]),
]


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
        ['fleet.toml:5:10: defaults.install.needs[0] names "wik", which is not declared; did you mean wiki'],
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
    ("[defaults.data]\nmarc = ['m']", "", ["fleet.toml:5:1: defaults.data.marc is not a known key; did you mean mark"]),
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
        "recipes/d/recipe.toml:3:1: recipe.upsteam is not a known key; did you mean upstream",
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


names = st.sampled_from("abcde")


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
        "recipes/notes/recipe.toml:2:1: recipe.upsteam is not a known key; did you mean upstream",
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
