"""Compares ways to ask a forge that is far away and costs nothing: `python -m benchmarks.far_upstreams`, as root.

lighttpd answers over TLS with files, the same for every recipe, behind a round trip of 20 ms. `xargs` asks for a sample
of the recipes, and its time is multiplied. Needs lighttpd, lighttpd-mod-openssl, curl, and Linux with TUN devices.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve

from benchmarks.asking_upstreams import FLOOR, make_authority, make_repository, table, ways
from benchmarks.delayed_network import FORGE_ADDRESS, DelayedNetwork, delayed_network
from benchmarks.paired_rounds import end_on_sigterm, measure
from reconciler.host.git.ls_refs import ls_refs_request
from tests.git_servers import CertificateAuthority

CURL = "curl --parallel (8)"
_CONFIGURATION = """\
server.bind = "{address}"
server.port = 443
server.document-root = "{root}"
server.errorlog = "{root}/../error.log"
server.modules = ("mod_openssl", "mod_rewrite")
server.max-keep-alive-requests = 100000
server.feature-flags = ("server.h2proto" => "disable")
url.rewrite-once = ("^/r[0-9]+\\.git/info/refs" => "/info-refs", "^/r[0-9]+\\.git/(.*)" => "/$1")
$HTTP["url"] =~ "refs" {{ mimetype.assign = ("" => "application/x-git-upload-pack-advertisement") }}
else {{ mimetype.assign = ("" => "application/x-git-upload-pack-result") }}
ssl.engine = "enable"
ssl.pemfile = "{certificate}"
ssl.privkey = "{key}"
"""


def write_answers(root: Path, tags: int) -> None:
    """Write what git's own server answers about a repository with so many tags, as files in the new folder `root`."""
    root.mkdir()
    repository = make_repository(root.parent / "first.git", tags)
    serve = ("git", "upload-pack", "--stateless-rpc", str(repository.path))
    environment = {"PATH": "/usr/bin:/bin", "GIT_PROTOCOL": "version=2"}
    listed = subprocess.run(serve, input=ls_refs_request(), env=environment, check=True, capture_output=True)
    (root / "git-upload-pack").write_bytes(listed.stdout)
    advertise = (*serve[:3], "--advertise-refs", serve[3])
    offered = subprocess.run(advertise, env=environment, check=True, capture_output=True)
    (root / "info-refs").write_bytes(b"001e# service=git-upload-pack\n0000" + offered.stdout)


@contextmanager
def canned_forge(folder: Path, network: DelayedNetwork, tls: CertificateAuthority) -> Iterator[None]:
    """Serve `folder`/answers in the far namespace, for every repository."""
    certificate, key = tls.files("server")
    values = {"address": FORGE_ADDRESS, "root": folder / "answers", "certificate": certificate, "key": key}
    (folder / "lighttpd.conf").write_text(_CONFIGURATION.format_map(values))
    argv = network.inside(network.forge, "lighttpd", "-D", "-f", str(folder / "lighttpd.conf"))
    server = subprocess.Popen(argv)
    time.sleep(1)
    try:
        yield
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", type=int, nargs="?", default=300)
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    parser.add_argument("--sample", type=int, default=100, help="recipes that xargs asks for; 0 for no xargs")
    options = parser.parse_args()
    end_on_sigterm()
    with tempfile.TemporaryDirectory() as made, delayed_network() as network:
        folder = Path(made)
        write_answers(folder / "answers", 40)
        tls = make_authority(folder / "ca", FORGE_ADDRESS)
        with canned_forge(folder, network, tls):
            urls = [f"https://{FORGE_ADDRESS}/r{number}.git" for number in range(options.recipes)]
            compared = dict(ways(folder, urls))
            sample = min(options.sample, options.recipes)
            xargs = compared.pop(FLOOR)
            if sample:
                compared[FLOOR] = evolve(xargs, stdin="\n".join(urls[:sample]), scale=options.recipes / sample)
            inside = {
                name: evolve(way, argv=network.inside(network.client, *way.argv)) for name, way in compared.items()
            }
            costs = measure(inside, options.rounds)
            print(f"{options.recipes} recipes, 20 ms round trip, {options.rounds} rounds, {sample} of them by xargs")
            print(table(costs, CURL))


if __name__ == "__main__":
    main()
