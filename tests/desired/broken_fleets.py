"""Fleet files that break a rule, with the problems that are reported."""

from hypothesis import strategies as st

DURATION = 'wants a duration such as "30s", "10m", "2h" or "3d"'
VARIABLE = "is not the name of a variable: letters, digits and _, no digit first"
NO_PATH = "may not be set: child processes get the PATH of Canon"
PROTOCOL = 'wants one of "https", "ssh", "http", "file"'
PROXY = 'wants "direct", or the URL of a proxy such as "http://127.0.0.1:8080"'
ZONE = 'wants a domain in lower case, such as "ci.example"'
UNIT = 'wants the name of a unit that ends in ".service", or ""'
PUSH = 'wants an address with {recipe} once, such as "ssh://git@forge.example/mirrors/{recipe}.git"'


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
    ("fromat = 1\nfleet.name = 'ci'", ["1:1: fromat is not a known key; did you mean format?"]),
    ("format = 1\nfleet = 'ci'", ['2:1: fleet wants a table, not "ci"']),
    ("format = 1\nfleet.name = ''", ['2:7: fleet.name wants one line of text, not ""']),
    ("format = 1\nfleet.nam = 'ci'", ["2:7: fleet.nam is not a known key; did you mean name?"]),
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
            ("GIT_SSL_NO_VERIFY", f"GIT_SSL_NO_VERIFY: {UNVERIFIED}; did you mean GIT_SSL_CAINFO?"),
            ("GIT_SSL_CA_INFO", f"GIT_SSL_CA_INFO: {OF_GIT}; did you mean GIT_SSL_CAINFO?"),
            ("GIT_SSH", f"GIT_SSH: {OF_GIT}; did you mean GIT_SSH_COMMAND?"),
            ("GIT_DIR", f"GIT_DIR: {OF_GIT}"),
            ("GIT_CONFIG_GLOBAL", f"GIT_CONFIG_GLOBAL: {OF_GIT}"),
            ("GIT_", f"GIT_: {OF_GIT}"),
        ]
    ],
    ("format = 1\nfleet.name = 'ci'\n[mirrors]\npush = ''", ["3:2: mirrors is not a known key; did you mean mirror?"]),
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
            "5:1: mirror.token wants the absolute path of a file, or the name of a systemd credential",
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
    ("format = 1\nfleet.name = 'ci'\nswarm.zones = 'x'", ["3:7: swarm.zones is not a known key; did you mean zone?"]),
    (
        "format = 1\nfleet.name = 'ci'\n[defaults]\nrecipe = 1\nready.timeout = 1",
        ["4:1: defaults.recipe wants a table, not 1", f"5:7: defaults.ready.timeout {DURATION}, not 1"],
    ),
    (
        "format = 1\nfleet.name = 'ci'\n[defaults.recip]\ndriver = 'process'",
        ["3:11: defaults.recip is not a known key; did you mean recipe?"],
    ),
    ("format = 1\nfleet.name = 'ci'\ndefaults = 5", ["3:1: defaults wants a table, not 5"]),
]


names = st.sampled_from("abcde")
