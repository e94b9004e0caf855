from pathlib import Path

import pytest

from tests.fleet_declarations import RECIPE, problem_texts, write_fleet

LIST_OF_TEXT = "wants text without a zero byte"
COMMAND = "may not be empty, nor start with an empty text"
DURATION = 'wants a duration such as "30s", "10m", "2h" or "3d"'
RANGE = 'wants a range on x.y.z such as ">=2.0.0,<4", or "*"'
BASE = 'wants "canonical" or a version such as "3.0.1+v2.0.0"'
VARIABLE = "is not the name of a variable: letters, digits and _, no digit first"
PROGRAM = 'wants the name of a program, without "/"'
NO_PATH = "may not be set: child processes get the PATH of Canon"
ONE_WAY = "only one of http, tcp and run can be declared"
NO_RESTORE = "needs restore: a backup counts once it is restored"
NO_TAKE = "needs take: there is nothing else to restore"
NO_PIN = "is only for a base that is pinned to a version"
NOT_RUNNING = 'is "running", which is only for driver = "swarm" or "abra"'
KEEP = 'wants one of "rest", "running"'
DRIVER = 'wants one of "process", "swarm", "abra"'
FILE = 'wants the name of a file in the recipe\'s fleet folder, such as "compose.ci.yml"'
NO_OVERLAYS = 'is only for driver = "swarm" or "abra": a Procfile has no overlays'
ORIGIN = 'wants one of "carried", "fresh"'
SECRET = "wants the name of a secret: letters, 0-9, _, - and ., at most 64 characters"
NEEDED = "wants the name of a recipe: a-z, 0-9 and -, at most 63 characters"
HTTP_PATH = 'wants a path of printable ASCII that starts with "/"'
NO_CHECK = "needs [data] check, without which a restore proves nothing"


# Each case: what is added to the two lines of RECIPE, and each problem as LINE:COLUMN: MESSAGE.
UNKNOWN = [
    ("requirs = []", ["3:1: recipe.requirs is not a known key; did you mean requires"]),
    ("zzz = 1", ["3:1: recipe.zzz is not a known key"]),
    ('"up stream" = 1', ['3:1: recipe."up stream" is not a known key; did you mean upstream']),
    ("[instal]\nenv = {}", ["3:2: instal is not a known key; did you mean install"]),
    ("[[data]]\ncheck = []", ["3:3: data wants a table, not a list"]),
    ("[install]\nenv = {}\n  stepz = []", ["5:3: install.stepz is not a known key; did you mean steps"]),
    ("[release]\noldest = '1d'", ["4:1: release.oldest is not a known key"]),
    ("[budget]\ntrials = 1", ["3:2: budget is not a known key"]),
]
RECIPE_TABLE = [
    ("driver = 'docker'", [f'3:1: recipe.driver {DRIVER}, not "docker"']),
    ("driver = 'proces'", [f'3:1: recipe.driver {DRIVER}, not "proces"; did you mean process']),
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
    ("[install]\nneeds = ['note']", ['4:10: install.needs[0] names "note", which is not declared; did you mean notes']),
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
        "driver = 'swarm'\n[install]\noverlays = [ 'recipe.toml', 'recipe.tml', 'absent/x.yml' ]",
        [
            '5:29: install.overlays[1] names "recipe.tml", which is no file in recipes/notes; did you mean recipe.toml',
            '5:43: install.overlays[2] names "absent/x.yml", which is no file in recipes/notes',
        ],
    ),
    ("[install]\noverlays = ['recipe.toml']", [f"4:1: install.overlays {NO_OVERLAYS}"]),
    ("driver = 'process'\n[install]\noverlays = ['recipe.toml']", [f"5:1: install.overlays {NO_OVERLAYS}"]),
    (
        "driver = 'swarn'\n[install]\noverlays = ['recipe.toml']",
        [f'3:1: recipe.driver {DRIVER}, not "swarn"; did you mean swarm'],
    ),
    ("[install]\noverlays = []", []),
]
READY = [
    ("[ready]\nhttp = 'health'", [f'4:1: ready.http {HTTP_PATH}, not "health"']),
    ("[ready]\nhttp = '/a b'", [f'4:1: ready.http {HTTP_PATH}, not "/a b"']),
    ("[ready]\nhttp = '/\u00e9'", [f'4:1: ready.http {HTTP_PATH}, not "/\u00e9"']),
    ("[ready]\ntcp = false", ["4:1: ready.tcp wants true, or to be left out, not false"]),
    ("[ready]\ntcp = 1", ["4:1: ready.tcp wants true, or to be left out, not 1"]),
    ("[ready]\nrun = []", [f"4:1: ready.run {COMMAND}"]),
    ("[ready]\nrun = 'x'", ['4:1: ready.run wants a list, not "x"']),
    ("[ready]\ntcp = true\nhttp = '/'", [f"5:1: ready.http is there beside tcp: {ONE_WAY}"]),
    (
        "[ready]\nrun = ['x']\nhttp = '/'\ntcp = true",
        [f"5:1: ready.http is there beside run: {ONE_WAY}", f"6:1: ready.tcp is there beside run: {ONE_WAY}"],
    ),
    ("[ready]\ntcp = true\nstatus = [200]", ["5:1: ready.status is only for http"]),
    ("[ready]\nstatus = 200", ["4:1: ready.status wants a list, not 200"]),
    ("[ready]\nstatus = []", [f"4:1: ready.status {COMMAND}"]),
    (
        "[ready]\nstatus = [200, 99, 600, true, 2e2]",
        [
            f"4:{at}: ready.status[{i}] wants a whole number from 100 to 599, not {x}"
            for i, at, x in [(1, 16, "99"), (2, 20, "600"), (3, 25, "true"), (4, 31, "200.0")]
        ],
    ),
    *[
        (f"[ready]\ntimeout = {bad}", [f"4:1: ready.timeout {DURATION}, not {bad}"])
        for bad in [
            "600",
            '"10"',
            '"0s"',
            '"1.5h"',
            '"-1s"',
            '"01s"',
            '"10 m"',
            '"10M"',
            '"1w"',
            '"100000s"',
            '"\u0661s"',
            "true",
        ]
    ],
]
DATA_AND_BACKUP = [
    ("[data]\nmark = ['m']", ["4:1: data.mark needs check, which proves that the mark is still there"]),
    ("[data]\ncheck = {}", ["4:1: data.check wants a list, not a table"]),
    ("data = 5", ["3:1: recipe.data is not a known key"]),
    ("[data]\ncheck = ['c']\n[backup]\ntake = ['t']", [f"6:1: backup.take {NO_RESTORE}"]),
    ("[data]\ncheck = ['c']\n[backup]\nrestore = ['r']", [f"6:1: backup.restore {NO_TAKE}"]),
    ("[backup]\nrestore = ['r']\ntake = ['t']", [f"5:1: backup.take {NO_CHECK}"]),
]
UPGRADE = [
    ("[upgrade]\nbase = '1.0.0'", ['4:1: upgrade.base is pinned, which needs reason = "why"']),
    ("[upgrade]\nbase = '1.0'\nreason = 'x'", [f'4:1: upgrade.base {BASE}, not "1.0"']),
    ("[upgrade]\nbase = 'canonicl'", [f'4:1: upgrade.base {BASE}, not "canonicl"; did you mean canonical']),
    ("[upgrade]\nbase = 1", [f"4:1: upgrade.base {BASE}, not 1"]),
    ("[upgrade]\nreason = 'x'", [f"4:1: upgrade.reason {NO_PIN}"]),
    ("[upgrade]\nreason = 'x'\nbase = 'canonical'", [f"4:1: upgrade.reason {NO_PIN}"]),
]
TIERS = [
    ("[tiers]\ninstall = 'why'", ["4:1: tiers.install may not be left out: without an install nothing is tried"]),
    ("[tiers]\nbackup = ''", ['4:1: tiers.backup wants one line of text, not ""']),
    ("[tiers]\nbackup = true", ["4:1: tiers.backup wants one line of text, not true"]),
    ("[tiers]\nbackups = 'why'", ["4:1: tiers.backups is not a known key; did you mean backup"]),
]
CUSTOM = [
    (
        "[custom]\nrun = ['python3', 'test.py']",
        ['4:8: custom.run[0] wants a list, not "python3"', '4:19: custom.run[1] wants a list, not "test.py"'],
    ),
]
CANONICAL = [
    ("[canonical]\nkeep = 'running'", [f"4:1: canonical.keep {NOT_RUNNING}"]),
    ("driver = 'process'\n[canonical]\nkeep = 'running'", [f"5:1: canonical.keep {NOT_RUNNING}"]),
    ("driver = 'swarm'\n[canonical]\nkeep = 'running'", []),
    ("driver = 'abra'\n[canonical]\nkeep = 'running'", []),
    ("[canonical]\nkeep = 'resting'", [f'4:1: canonical.keep {KEEP}, not "resting"; did you mean rest']),
    ("[canonical]\nkeep = true", [f"4:1: canonical.keep {KEEP}, not true"]),
    ("[canonical]\ndata = 'carry'", [f'4:1: canonical.data {ORIGIN}, not "carry"; did you mean carried']),
    ("[canonical]\ngenerations = 0", ["4:1: canonical.generations wants a whole number from 1 to 1000, not 0"]),
    ("[canonical]\ngenerations = true", ["4:1: canonical.generations wants a whole number from 1 to 1000, not true"]),
    ("[canonical]\ngenerations = 2.0", ["4:1: canonical.generations wants a whole number from 1 to 1000, not 2.0"]),
    (
        f"[canonical]\ngenerations = 0x{'f' * 4000}",
        ["4:1: canonical.generations wants a whole number from 1 to 1000, not a huge number"],
    ),
]
TWICE = [
    ("driver = 'process'\nupstream = 'x'", ["4:1: upstream is there twice"]),
    ("[install]\nenv = { A = 'x', A = 'y' }", ["4:18: A is there twice"]),
    ("[ready]\n[data]\n[ ready ]\ntcp = true", ["5:3: ready is there twice"]),
    ("[install.env]\nA = 'x'\n[install]\nenv.B = 'y'", ["6:1: env.B is there twice"]),
    ("[install]\nenv = { A = 'x' }\n[install.env]\n", ["5:2: install.env is there twice"]),
    ("[install]\nenv.A = { x = 1 }\nenv.A.x = 1", ["5:1: env.A.x is there twice"]),
]
DRIFT = [
    (
        "[drift]\nignore = ['down']\nreason = 'x'",
        ["4:1: drift.ignore needs until: what is ignored has a reason and an end"],
    ),
    (
        "[drift]\nignore = ['down']\nuntil = 2027-03-01",
        ["4:1: drift.ignore needs reason: what is ignored has a reason and an end"],
    ),
    ("[drift]\nuntil = 2027-03-01", ["4:1: drift.until is only for differences that are ignored"]),
    ("[drift]\nignore = ['down']\nreason = 'x'\nuntil = 2027-03-01", []),
]
NO_TOML = [
    ("driver = 'process", ['4:1: is not valid TOML: expected "\'"']),
    ("driver = process", ["3:10: is not valid TOML: invalid value"]),
    ("driver", ["3:7: is not valid TOML: expected '=' after a key in a key/value pair"]),
    ("review = 2027-02-30", ["3:10: is not valid TOML: invalid date or datetime"]),
]
CONSEQUENCES = [
    (
        "enroled = false\nexception = 'x'",
        [
            "3:1: recipe.enroled is not a known key; did you mean enrolled",
            "4:1: recipe.exception is only for a recipe with enrolled = false",
        ],
    ),
    ("enrolled = false\nexcepton = 'x'", ["4:1: recipe.excepton is not a known key; did you mean exception"]),
    ("[data]\nchek = ['c']\nmark = ['m']", ["4:1: data.chek is not a known key; did you mean check"]),
    (
        "[data]\ncheck = 'c'\n[backup]\ntake = ['t']\nrestore = 'r'",
        ['4:1: data.check wants a list, not "c"', '7:1: backup.restore wants a list, not "r"'],
    ),
    (
        "[backup]\ntak = ['t']\nrestore = ['r']\n[data]\ncheck=['c']",
        ["4:1: backup.tak is not a known key; did you mean take"],
    ),
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
