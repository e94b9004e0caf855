"""Runs the demo's apps from their Procfiles, without Canon."""

import json
import os
import secrets
import signal
import socket
import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from attrs import field, frozen

from reconciler.demo.fleet import APPS, KIT, trees_of
from reconciler.demo.history import Tree
from reconciler.demo.upstreams import HISTORIES, PUBLICATIONS
from reconciler.host.processes.procfile import parse_procfile
from reconciler.host.sample import parse_sample

PATIENCE = 60
BASICS = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


class EndedError(Exception):
    """A process of the app ended by itself. The message is the app's output."""

    def __init__(self, code: int, written: str) -> None:
        super().__init__(written)
        self.code = code


@frozen
class AppHome:
    """The data and secrets of one app, kept over its releases. `links` are the variables of the apps that it needs."""

    name: str
    folder: Path
    links: Mapping[str, str] = field(factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"


def declaration(name: str) -> dict[str, dict[str, object]]:
    return tomllib.loads((APPS / name / "fleet" / "recipe.toml").read_text())


def new_home(name: str, folder: Path, links: Mapping[str, str] | None = None) -> AppHome:
    home = AppHome(name, folder / f"{name}-{secrets.token_hex(3)}", links or {})
    for part in (home.data, home.secrets):
        part.mkdir(parents=True)
    return home


@contextmanager
def running_app(home: AppHome, label: str) -> Iterator[str]:
    """Run a release on the home's data and yield its URL. At the end all its processes are stopped."""
    checkout = _checked_out(home, label)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    log = home.folder / f"{label}.log"
    procfile = parse_procfile((checkout / "Procfile").read_text())
    with log.open("ab") as written:
        started = [
            subprocess.Popen(
                ["/bin/sh", "-c", line],
                cwd=checkout,
                env=_environment(home, checkout, label, port),
                stdout=written,
                stderr=written,
                start_new_session=True,
            )
            for line in procfile.values()
        ]
        try:
            _wait_ready(url, started, log)
            yield url
        finally:
            for process in started:
                _end(process)


def run_test_command(
    home: AppHome, url: str, *argv: str, backups: Path | None = None, path: str = ""
) -> tuple[int, str]:
    """Run one of the recipe's tests. Returns its exit code and its output."""
    tests = home.folder / "tests"
    if not tests.exists():
        tests.mkdir()
        for file in [*(APPS / home.name / "fleet").iterdir(), *(KIT / "tests").iterdir()]:
            if file.is_file():
                (tests / file.name).write_bytes(file.read_bytes())
    env = BASICS | {"HOME": str(tests), "TMPDIR": str(home.folder), "RECIPE": home.name, "URL": url}
    env |= {**home.links, "BACKUP_DIR": str(backups or home.folder)}
    env["PATH"] = path + env["PATH"]
    ran = subprocess.run(argv, cwd=tests, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def run_declared_command(home: AppHome, url: str, table: str, key: str, backups: Path | None = None) -> None:
    """Run a declared command such as data.mark and expect that it succeeds."""
    argv = declaration(home.name)[table][key]
    assert isinstance(argv, list)
    assert run_test_command(home, url, *argv, backups=backups) == (0, "")


def fetch_page(url: str, page: str, body: object = None, **query: str) -> str:
    """Request a page, expect status 200, and return the answer. With a body the request is a POST."""
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)) as connection:
        sent = None if body is None else json.dumps(body)
        connection.request("GET" if sent is None else "POST", f"{page}?{urlencode(query)}", sent)
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read().decode()


def _checked_out(home: AppHome, label: str) -> Path:
    checkout = home.folder / f"checkout-{label}-{secrets.token_hex(2)}"
    for path, content in _release_tree(home.name, label).items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_bytes(content)
    return checkout


def _release_tree(name: str, label: str) -> Tree:
    """Return the files of a recipe's repository at the commit of the release `label`."""
    history = [*HISTORIES[name].commits]
    for publication in PUBLICATIONS:
        history += publication.commits if publication.recipe == name else ()
    return next(tree for commit, tree in trees_of(name, history) if commit.lays == label)


def _environment(home: AppHome, checkout: Path, label: str, port: int) -> dict[str, str]:
    """Return the variables that the process driver promises to an app. Makes missing secrets."""
    sample_file = checkout / ".env.sample"
    sample = parse_sample(sample_file.read_text() if sample_file.exists() else "")
    install = declaration(home.name).get("install", {})
    makers, settings = install.get("secrets", {}), install.get("env", {})
    assert isinstance(makers, dict)
    assert isinstance(settings, dict)
    for need in sample.secrets:
        file = home.secrets / need.name
        if not file.exists():
            made = _made(home, makers[need.name]) if need.length is None else secrets.token_hex(need.length // 2)
            file.write_text(made)
    places = {"HOME": str(home.folder), "TMPDIR": str(home.folder), "PORT": str(port), "VERSION": label}
    kept = {"DATA_DIR": str(home.data), "SECRETS_DIR": str(home.secrets)}
    return BASICS | places | kept | dict(sample.settings) | settings | dict(home.links)


def _made(home: AppHome, maker: list[str]) -> str:
    tests = APPS / home.name / "fleet"
    return subprocess.run(maker, cwd=tests, env=BASICS, capture_output=True, text=True, check=True, timeout=60).stdout


def _wait_ready(url: str, started: list[subprocess.Popen[bytes]], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for process in started:
            if process.poll() is not None:
                raise EndedError(process.returncode, log.read_text())
        try:
            fetch_page(url, "/")
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"{url} did not answer: {log.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    process.wait(PATIENCE)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
