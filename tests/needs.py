"""What a test needs beside git, make and Python: `@pytest.mark.needs("root", "lighttpd")`.

On a machine that lacks it the test is skipped with the reason. A need is `root`, `engine`, `docker-client`, `systemd`,
`lighttpd-tls`, `browser-driver`, or else the name of a program. CI runs these tests on its own machine (`-m needs`),
and all others on a fresh one (`-m "not needs"`).
"""

import importlib.util
import os
import shutil
from collections.abc import Callable, Mapping
from functools import cache

import pytest

from tests import systemd_boot
from tests.git_servers import TLS_MODULE
from tests.swarm import local_engine

# An ordinary user's PATH on Debian has no folder of system programs, where the programs are all the same.
SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"
# Whoever requests one of these fixtures needs this.
BY_FIXTURE = {"engine": "engine", "served": "lighttpd"}


def needs_of(item: pytest.Item) -> tuple[str, ...]:
    """Return all needs of a collected test, each once."""
    marked = (need for mark in item.iter_markers("needs") for need in mark.args)
    fixtures = getattr(item, "fixturenames", ())
    requested = (need for fixture, need in BY_FIXTURE.items() if fixture in fixtures)
    return tuple(dict.fromkeys((*marked, *requested)))


@cache
def unmet_reason(need: str) -> str:
    """Return why this machine cannot meet a need; "" if it can."""
    return KNOWN[need]() if need in KNOWN else program(need)


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{SYSTEM}")
    return "" if found else f"{name} is not installed"


def lighttpd_tls() -> str:
    return program("lighttpd") or ("" if TLS_MODULE.exists() else "lighttpd-mod-openssl is not installed")


def browser_driver() -> str:
    driver = all(importlib.util.find_spec(name) for name in ("playwright", "axe_playwright_python"))
    return "" if driver else "playwright and axe are not installed: make browser"


def root() -> str:
    return "" if os.geteuid() == 0 else "needs root"


KNOWN: Mapping[str, Callable[[], str]] = {
    "root": root,
    "browser-driver": browser_driver,
    "docker-client": local_engine.client_missing,
    "engine": local_engine.engine_missing,
    "lighttpd-tls": lighttpd_tls,
    "systemd": systemd_boot.obstacle,
}
