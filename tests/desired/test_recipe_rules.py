from pathlib import Path

import pytest

from tests.desired.broken_recipes import (
    CANONICAL,
    COMMAND,
    CONSEQUENCES,
    CUSTOM,
    DATA_AND_BACKUP,
    DRIFT,
    NO_TOML,
    READY,
    TIERS,
    TWICE,
    UPGRADE,
)
from tests.fleet_declarations import RECIPE, problem_texts, write_fleet

LIST_OF_TEXT = "wants text without a zero byte"
RANGE = 'wants a range on x.y.z such as ">=2.0.0,<4", or "*"'
VARIABLE = "is not the name of a variable: letters, digits and _, no digit first"
PROGRAM = 'wants the name of a program, without "/"'
NO_PATH = "may not be set: child processes get the PATH of Canon"
DRIVER = 'wants one of "process", "swarm", "abra"'
FILE = 'wants the name of a file in the recipe\'s fleet folder, such as "compose.ci.yml"'
NO_OVERLAYS = 'is only for driver = "swarm" or "abra": a Procfile has no overlays'
SECRET = "wants the name of a secret: letters, 0-9, _, - and ., at most 64 characters"
NEEDED = "wants the name of a recipe: a-z, 0-9 and -, at most 63 characters"


# Each case: what is added to the two lines of RECIPE, and each problem as LINE:COLUMN: MESSAGE.
UNKNOWN = [
    ("requirs = []", ["3:1: recipe.requirs is not a known key; did you mean requires?"]),
    ("zzz = 1", ["3:1: recipe.zzz is not a known key"]),
    ('"up stream" = 1', ['3:1: recipe."up stream" is not a known key; did you mean upstream?']),
    ("[instal]\nenv = {}", ["3:2: instal is not a known key; did you mean install?"]),
    ("[[data]]\ncheck = []", ["3:3: data wants a table, not a list"]),
    ("[install]\nenv = {}\n  stepz = []", ["5:3: install.stepz is not a known key; did you mean steps?"]),
    ("[release]\noldest = '1d'", ["4:1: release.oldest is not a known key"]),
    ("[budget]\ntrials = 1", ["3:2: budget is not a known key"]),
]
RECIPE_TABLE = [
    ("driver = 'docker'", [f'3:1: recipe.driver {DRIVER}, not "docker"']),
    ("driver = 'proces'", [f'3:1: recipe.driver {DRIVER}, not "proces"; did you mean process?']),
    ("driver = 1", [f"3:1: recipe.driver {DRIVER}, not 1"]),
    ("enrolled = 1", ["3:1: recipe.enrolled wants true or false, not 1"]),
    ("enrolled = 'true'", ['3:1: recipe.enrolled wants true or false, not "true"']),
    ("enrolled = false", ['3:1: recipe.enrolled is false, which needs exception = "why"']),
    ("enrolled = false\nexception = ' '", ['4:1: recipe.exception wants one line of text, not " "']),
    ("enrolled = false\nexception = 5", ["4:1: recipe.exception wants one line of text, not 5"]),
    ('enrolled = false\nexception = "a\\nb"', ['4:1: recipe.exception wants one line of text, not "a\\nb"']),
    ("exception = 'why'", ["3:1: recipe.exception is only for a recipe with enrolled = false"]),
    ("enrolled = true\nreview = 2027-03-01", ["4:1: recipe.review is only for a recipe with enrolled = false"]),
    (
        "enrolled = false\nexception = 'x'\nreview = '2027-03-01'",
        ['5:1: recipe.review wants a date such as 2027-03-01, not "2027-03-01"'],
    ),
    (
        "enrolled = false\nexception = 'x'\nreview = 2027-03-01T00:00:00",
        ["5:1: recipe.review wants a date such as 2027-03-01, not 2027-03-01T00:00:00"],
    ),
    ("requires = 'git'", ['3:1: recipe.requires wants a list, not "git"']),
    ("requires = [ 'git', '/bin/sh' ]", [f'3:21: recipe.requires[1] {PROGRAM}, not "/bin/sh"']),
    (
        "requires = ['', '-x', 'a b']",
        [
            f'3:{at}: recipe.requires[{i}] {PROGRAM}, not "{x}"'
            for i, at, x in [(0, 13, ""), (1, 17, "-x"), (2, 23, "a b")]
        ],
    ),
    ("requires = [true]", [f"3:13: recipe.requires[0] {PROGRAM}, not true"]),
]
RELEASE = [
    ("[release]\nallow = ''", [f'4:1: release.allow {RANGE}, not ""']),
    ("[release]\nallow = '>=2 <3'", [f'4:1: release.allow {RANGE}, not ">=2 <3"']),
    ("[release]\nallow = 'newest'", [f'4:1: release.allow {RANGE}, not "newest"']),
    ("[release]\nallow = '==1.0.0+v2'", [f'4:1: release.allow {RANGE}, not "==1.0.0+v2"']),
    ("[release]\nallow = '>=1.*'", [f'4:1: release.allow {RANGE}, not ">=1.*"']),
    ("[release]\nallow = 2", [f"4:1: release.allow {RANGE}, not 2"]),
]
INSTALL = [
    ("[install]\nenv = { A = 1, B = 'x' }", [f"4:9: install.env.A {LIST_OF_TEXT}, not 1"]),
    ("[install]\nenv = { PATH = '/bin' }", [f"4:9: install.env.PATH {NO_PATH}"]),
    ("[install.env]\n'A-B' = 'x'\n1A = 'x'", [f"4:1: install.env.A-B {VARIABLE}", f"5:1: install.env.1A {VARIABLE}"]),
    ('[install.env]\nA = "a\\u0000b"', [f'4:1: install.env.A {LIST_OF_TEXT}, not "a\\x00b"']),
    ("[install]\nenv = ['A=1']", ["4:1: install.env wants a table, not a list"]),
    ("[install]\nsecrets = { key = [] }", [f"4:13: install.secrets.key {COMMAND}"]),
    ("[install]\nsecrets = { key = 'make' }", ['4:13: install.secrets.key wants a list, not "make"']),
    ("[install]\nsecrets = { 'a key' = ['make'] }", [f'4:13: install.secrets."a key" {SECRET}, not "a key"']),
    ("[install]\nsecrets = { '../key' = ['make'] }", [f'4:13: install.secrets."../key" {SECRET}, not "../key"']),
    ("[install]\nsteps = ['./seed.sh']", ['4:10: install.steps[0] wants a list, not "./seed.sh"']),
    (
        "[install]\nsteps = [\n  ['a'],\n  ['a', 1],\n  [''],\n]",
        [f"6:9: install.steps[1][1] {LIST_OF_TEXT}, not 1", f"7:3: install.steps[2] {COMMAND}"],
    ),
    ("[install]\nneeds = ['Base']", [f'4:10: install.needs[0] {NEEDED}, not "Base"']),
    ("[install]\nneeds = ['notes']", ["4:10: install.needs[0] names the recipe itself"]),
    ("[install]\nneeds = ['basis']", ['4:10: install.needs[0] names "basis", which is not declared']),
    (
        "[install]\nneeds = ['note']",
        ['4:10: install.needs[0] names "note", which is not declared; did you mean notes?'],
    ),
]
OVERLAYS = [
    *[
        (f"driver = 'swarm'\n[install]\noverlays = ['{bad}']", [f'5:13: install.overlays[0] {FILE}, not "{bad}"'])
        for bad in [
            "",
            "/etc/passwd",
            "../notes/recipe.toml",
            "./recipe.toml",
            "a//b",
            "a/../b",
            "a/",
            "-f",
            "a:b",
            "~a",
        ]
    ],
    (
        "driver = 'swarm'\n[install]\noverlays = 'recipe.toml'",
        ['5:1: install.overlays wants a list, not "recipe.toml"'],
    ),
    ("driver = 'swarm'\n[install]\noverlays = [1]", [f"5:13: install.overlays[0] {FILE}, not 1"]),
    (
        "driver = 'swarm'\n[install]\noverlays = [ 'recipe.toml', 'recipe.tm', 'absent/x.yml' ]",
        [
            '5:29: install.overlays[1] names "recipe.tm", which is no file in recipes/notes; did you mean recipe.toml?',
            '5:42: install.overlays[2] names "absent/x.yml", which is no file in recipes/notes',
        ],
    ),
    ("[install]\noverlays = ['recipe.toml']", [f"4:1: install.overlays {NO_OVERLAYS}"]),
    ("driver = 'process'\n[install]\noverlays = ['recipe.toml']", [f"5:1: install.overlays {NO_OVERLAYS}"]),
    (
        "driver = 'swarn'\n[install]\noverlays = ['recipe.toml']",
        [f'3:1: recipe.driver {DRIVER}, not "swarn"; did you mean swarm?'],
    ),
    ("[install]\noverlays = []", []),
]
RULES = [
    *UNKNOWN,
    *RECIPE_TABLE,
    *RELEASE,
    *INSTALL,
    *OVERLAYS,
    *READY,
    *DATA_AND_BACKUP,
    *UPGRADE,
    *TIERS,
    *CUSTOM,
    *CANONICAL,
    *DRIFT,
    *TWICE,
    *NO_TOML,
    *CONSEQUENCES,
]


@pytest.mark.parametrize(("text", "expected"), RULES)
def test_a_rule_of_a_recipe_names_line_and_column(tmp_path: Path, text: str, expected: list[str]) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": f"{RECIPE}{text}\n"})
    assert problem_texts(folder) == [f"recipes/notes/recipe.toml:{line}" for line in expected]
