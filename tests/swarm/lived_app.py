"""An app on the real engine with everything that a recipe can ask for, deployed by the real driver."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from reconciler.ports.app import App, RunningApp
from tests.swarm.local_engine import LocalEngine
from tests.swarm.stacks import NGINX, SwarmSlots, options, release, server, service

SECRET = "never-in-an-argument-list"
PAGE = "made of a config"
SAMPLE = """\
TYPE=notes
DOMAIN=notes.example.com
TITLE=Notes
PRICE="costs $5"
SECRET_TOKEN_VERSION=v1 # length=24
"""
PARTS = {
    "configs": {
        "page": {"name": "${STACK_NAME}_page_${PAGE_VERSION}", "file": "page.tmpl", "template_driver": "golang"}
    },
    "secrets": {"token": {"name": "${STACK_NAME}_token_${SECRET_TOKEN_VERSION}", "external": True}},
    "volumes": {"data": {"name": "one-for-all"}, "more": {}},
    "networks": {"inner": {"internal": True}, "proxy": {"external": True}},
}
# What a shell inside makes in a volume: everything that a file system has, and names that only bytes tell.
FILL = r"""
cd /data; mkdir -p sub/empty
printf one >plain; printf two >'a space'; printf three >"$(printf 'a\nline')"; printf four >"$(printf 'a\377byte')"
printf five >sub/owned; chown 1234:5678 sub/owned; chmod 4750 sub/owned
ln plain sub/same; ln -s plain link; ln -s /nowhere sub/dangling; mkfifo pipe
truncate -s 3M sparse; chmod 000 sub/empty; chown 33:34 . sub; chmod 1770 .
find . -depth -exec touch -h -d '2001-02-03 04:05:06 UTC' {} +
"""
LIST = r"find /data -printf '%P|%y|%m|%U:%G|%l|%Ts' \( -type f -printf '|%s|%n' \) , -printf '\0'"


def checkout(folder: Path, image: str) -> Path:
    app = server(
        image,
        environment=["GREETING=hello", "ONLY_OURS"],
        secrets=["token"],
        configs=[{"source": "page", "target": "/usr/share/nginx/html/page.html"}],
        volumes=["data:/data", "more:/more"],
        networks=["inner", "proxy"],
    )
    worker = service("echo the token is $$(cat /run/secrets/token); exec sleep 1000", secrets=["token"])
    release(folder, {"app": app, "worker": {**worker, "networks": ["inner"]}}, PARTS, SAMPLE)
    (folder / "abra.sh").write_text("export PAGE_VERSION=v3\n")
    (folder / "page.tmpl").write_text(f'{PAGE}, for {{{{ env "GREETING" }}}}')
    return folder


@frozen
class Life:
    """An app and what became of it; `calls` has every call of Docker's command, with its environment."""

    slots: SwarmSlots
    app: App
    seen: RunningApp
    calls: Path


@contextmanager
def lived(engine: LocalEngine, folder: Path) -> Iterator[Life]:
    """Deploy the app in slots below `folder`, yield it once it is up, and remove it at the end."""
    calls = folder / "calls"
    slots = SwarmSlots.on(engine, folder / "work", PATH=f"{noting_client(folder, calls)}:{engine.environment['PATH']}")
    try:
        app = slots.app(token=SECRET)
        overlay = folder / "compose.ci.yml"
        overlay.write_text('{"version": "3.8", "services": {"worker": {"environment": {"LAID": "over"}}}}')
        slots.driver.deploy(
            app, checkout(folder / "one", NGINX), options(settings={"TITLE": "Ours"}, overlays=(overlay,))
        )
        yield Life(slots, app, slots.settled(app), calls)
    finally:
        slots.clear()


def noting_client(folder: Path, calls: Path) -> Path:
    """A folder with a `docker` that notes its arguments and environment, and is then the real one."""
    real = shutil.which("docker")
    shim = folder / "client" / "docker"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\n{{ printf "%s\\n" "$@"; env; }} >>"{calls}"\nexec "{real}" "$@"\n')
    shim.chmod(0o755)
    return shim.parent
