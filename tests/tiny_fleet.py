"""Writes fleets of tiny recipes, whose apps and tests start fast, for tests that run many real passes."""

from pathlib import Path

from tests.repositories import UpstreamRepository

PROCFILE = b"web: exec python3 -I -S app.py\n"
APP = b'''\
"""Keeps lines in a file, one a version that ran on it; GET tells them, POST adds what it is sent."""
import os
import socket

path = os.path.join(os.environ["DATA_DIR"], "lines")
with open(path, "a+") as file:
    file.seek(0)
    lines = file.read().split()
    if lines[-1:] != [os.environ["VERSION"]]:
        file.write(os.environ["VERSION"] + "\\n")
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    connection, _ = listener.accept()
    with connection:
        asked = connection.recv(4096).decode()
        if asked.startswith("POST"):
            with open(path, "a") as file:
                file.write(asked.split()[1].strip("/") + "\\n")
        with open(path) as file:
            body = file.read()
        connection.sendall(f"HTTP/1.0 200 OK\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n{body}".encode())
'''
ASK = """\
import os
import socket
import sys

host, port = os.environ["ADDRESS"].split(":")
with socket.create_connection((host, int(port))) as connection:
    connection.sendall(b"%s / HTTP/1.0\\r\\n\\r\\n" % sys.argv[1].encode())
    answer = b""
    while part := connection.recv(4096):
        answer += part
"""
MARK = ASK.replace("%s / HTTP", "%s /marked HTTP")
CHECK = ASK + 'sys.exit(b"marked" not in answer)\n'
RECIPE = """\
[recipe]
upstream = "{upstream}"
[data]
mark = ["python3", "-I", "-S", "mark.py", "POST"]
check = ["python3", "-I", "-S", "check.py", "GET"]
"""
FLEET = 'format = 1\n[defaults.ready]\nstable = "1s"\n[fleet]\nname = "tiny"\nprotocols = ["file", "http"]\n'


def make_fleet(folder: Path, *names: str) -> dict[str, UpstreamRepository]:
    """Make `folder/fleet` with recipes without releases, and their upstreams below `folder/upstreams`."""
    return {name: make_recipe(folder, name) for name in names}


def make_recipe(folder: Path, name: str, more: str = "") -> UpstreamRepository:
    """Make one recipe and return its upstream. `more` is added to its declaration."""
    upstream = UpstreamRepository.make(folder / "upstreams" / f"{name}.git")
    own = folder / "fleet" / "recipes" / name
    own.mkdir(parents=True)
    (folder / "fleet" / "fleet.toml").write_text(FLEET)
    (own / "recipe.toml").write_text(RECIPE.format(upstream=f"file://{upstream.path}") + more)
    (own / "mark.py").write_text(MARK)
    (own / "check.py").write_text(CHECK)
    return upstream


def release(upstream: UpstreamRepository, version: str) -> str:
    """Publish the app at a version; returns the commit."""
    commit = upstream.commit({"Procfile": PROCFILE, "app.py": APP, "VERSION": version.encode()})
    upstream.tag(version)
    return commit
