"""Recipes that break a rule of their declaration, with the problems that are reported."""

COMMAND = "may not be empty, nor start with an empty text"
DURATION = 'wants a duration such as "30s", "10m", "2h" or "3d"'
BASE = 'wants "canonical" or a version such as "3.0.1+v2.0.0"'
ALSO = 'wants a version such as "3.4.1", or a range on x.y.z such as ">=3.2,<3.4"'
ONE_WAY = "only one of http, tcp and run can be declared"
NO_RESTORE = "needs restore: a backup counts once it is restored"
NO_TAKE = "needs take: there is nothing else to restore"
NO_PIN = "is only for a base that is pinned to a version"
NOT_RUNNING = 'is "running", which is only for driver = "swarm" or "abra"'
KEEP = 'wants one of "rest", "running"'
ORIGIN = 'wants one of "carried", "fresh"'
HTTP_PATH = 'wants a path of printable ASCII that starts with "/"'
NO_CHECK = "needs [data] check, without which a restore proves nothing"
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
    ("[ways]\ngates = ['back']", ["4:1: ways.gates needs [data] check, without which no way can be proved"]),
    ("[ways]\ngates = []\nrun = ['stop']", []),
]
UPGRADE = [
    ("[upgrade]\nbase = '1.0.0'", ['4:1: upgrade.base is pinned, which needs reason = "why"']),
    ("[upgrade]\nbase = '1.0'\nreason = 'x'", [f'4:1: upgrade.base {BASE}, not "1.0"']),
    ("[upgrade]\nbase = 'canonicl'", [f'4:1: upgrade.base {BASE}, not "canonicl"; did you mean canonical?']),
    ("[upgrade]\nbase = 1", [f"4:1: upgrade.base {BASE}, not 1"]),
    ("[upgrade]\nreason = 'x'", [f"4:1: upgrade.reason {NO_PIN}"]),
    (
        "[upgrade]\nalso = ['1.0.0', '>=1,<2', '>=1,x', '*', 'v1', 3]",
        [
            f"4:{at}: upgrade.also[{i}] {ALSO}, not {x}"
            for i, at, x in [(2, 28, '">=1,x"'), (3, 37, '"*"'), (4, 42, '"v1"'), (5, 48, "3")]
        ],
    ),
    ("[upgrade]\nalso = ['~=1']", [f'4:9: upgrade.also[0] {ALSO}, not "~=1"']),
    ("[upgrade]\nreason = 'x'\nbase = 'canonical'", [f"4:1: upgrade.reason {NO_PIN}"]),
]
TIERS = [
    ("[tiers]\ninstall = 'why'", ["4:1: tiers.install may not be left out: without an install nothing is tried"]),
    ("[tiers]\nbackup = ''", ['4:1: tiers.backup wants one line of text, not ""']),
    ("[tiers]\nbackup = true", ["4:1: tiers.backup wants one line of text, not true"]),
    ("[tiers]\nbackups = 'why'", ["4:1: tiers.backups is not a known key; did you mean backup?"]),
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
    ("[canonical]\nkeep = 'resting'", [f'4:1: canonical.keep {KEEP}, not "resting"; did you mean rest?']),
    ("[canonical]\nkeep = true", [f"4:1: canonical.keep {KEEP}, not true"]),
    ("[canonical]\ndata = 'carry'", [f'4:1: canonical.data {ORIGIN}, not "carry"; did you mean carried?']),
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
            "3:1: recipe.enroled is not a known key; did you mean enrolled?",
            "4:1: recipe.exception is only for a recipe with enrolled = false",
        ],
    ),
    ("enrolled = false\nexcepton = 'x'", ["4:1: recipe.excepton is not a known key; did you mean exception?"]),
    ("[data]\nchek = ['c']\nmark = ['m']", ["4:1: data.chek is not a known key; did you mean check?"]),
    (
        "[data]\ncheck = 'c'\n[backup]\ntake = ['t']\nrestore = 'r'",
        ['4:1: data.check wants a list, not "c"', '7:1: backup.restore wants a list, not "r"'],
    ),
    (
        "[backup]\ntak = ['t']\nrestore = ['r']\n[data]\ncheck=['c']",
        ["4:1: backup.tak is not a known key; did you mean take?"],
    ),
]
