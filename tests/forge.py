"""A real forge for tests: git http-backend behind lighttpd, on the loopback address, until the test ends."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import frozen

from tests.repositories import Repository

_BACKEND = Path("/usr/lib/git-core/git-http-backend")
_PATIENCE = 20.0

_CONFIGURATION = """\
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{root}"
server.errorlog = "{work}/error.log"
server.upload-dirs = ("{work}")
server.modules = ("mod_alias", "mod_setenv", "mod_cgi")
alias.url = ("/git" => "{backend}")
cgi.assign = ("" => "")
setenv.set-environment = (
    "GIT_PROJECT_ROOT" => "{root}", "GIT_HTTP_EXPORT_ALL" => "1",
    "GIT_CONFIG_NOSYSTEM" => "1", "GIT_CONFIG_GLOBAL" => "/dev/null",
)
"""


@frozen
class Forge:
    """Serves every repository below `root` at `url`/NAME.git."""

    root: Path
    url: str

    def repository(self, name: str, branch: str = "main") -> Repository:
        """A new repository, served at once."""
        return Repository.make(self.root / f"{name}.git", branch)

    def address(self, name: str) -> str:
        return f"{self.url}/{name}.git"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def forge(folder: Path) -> Iterator[Forge]:
    """A forge whose files are all below the new folder `folder`. Skips the test where no lighttpd is installed."""
    program = shutil.which("lighttpd", path="/usr/local/sbin:/usr/sbin:/usr/bin")
    if program is None or not _BACKEND.exists():
        pytest.skip("no real web server: Debian's package lighttpd (and git's http-backend) are not installed")
    root, work = folder / "repositories", folder / "server"
    root.mkdir(parents=True)
    work.mkdir()
    port = free_port()
    settings = work / "lighttpd.conf"
    settings.write_text(_CONFIGURATION.format(port=port, root=root, work=work, backend=_BACKEND))
    server = subprocess.Popen([program, "-D", "-f", settings], stdin=subprocess.DEVNULL)
    try:
        _wait_until_open(server, port)
        yield Forge(root, f"http://127.0.0.1:{port}/git")
    finally:
        server.terminate()
        server.wait()


def _wait_until_open(server: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail("the web server did not come up")
