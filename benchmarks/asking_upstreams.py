"""Compares ways to ask upstreams for their tags, over git's real http-backend: `python -m benchmarks.asking_upstreams`.

Each round runs every way once, in random order. The table has the median of each way as a ratio to that of
`xargs -P8 git ls-remote`, and the CPU time of the program and its children likewise. Needs lighttpd, and curl if it is
there.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.paired_rounds import Cost, Way, end_on_sigterm, measure
from reconciler.host.git.http_request import CA_BUNDLES
from reconciler.host.git.ls_refs import CONTENT_TYPE, ls_refs_request
from tests.fleet_declarations import write_fleet
from tests.git_servers import CertificateAuthority, forge, make_certificate_authority
from tests.repositories import UpstreamRepository

FLEET = """\
format = 1
[fleet]
name = "bench"
protocols = ["http", "https"]
[environment]
pass = ["GIT_SSL_CAINFO"]
"""
FLOOR = "xargs -P8 git ls-remote"
# Only asks: what Canon's own commands do besides is left out.
ASK = """
import os, sys
from pathlib import Path
from desired.model import Recipe
from reconciler.host.git.upstream import GitUpstream
from reconciler.ports.repositories import TagQuery
from state.records import Answer
urls = sys.stdin.read().split()
queries = [TagQuery(Recipe(str(n), url, Path("/")), None) for n, url in enumerate(urls)]
passed = {name: os.environ[name] for name in ("PATH", "GIT_SSL_CAINFO") if name in os.environ}
replies = GitUpstream(passed, ("http", "https")).ask(queries)
sys.exit(not all(isinstance(reply, Answer) for reply in replies.values()))
"""


def make_repository(path: Path, tags: int) -> UpstreamRepository:
    """Make a packed repository with releases, of which two of three tags are annotated."""
    made = UpstreamRepository.make(path)
    commit = made.commit()
    for number in range(tags):
        made.tag(f"1.{number}.0+v2.{number}", commit, annotated=number % 3 > 0)
    made.git("gc", "--quiet")
    return made


def ways(folder: Path, urls: Sequence[str]) -> Mapping[str, Way]:
    """Return the ways to compare, by their names. Files that they need are written below `folder`."""
    listed = "\n".join(urls)
    recipes = {f"r{number}": f'[recipe]\nupstream = "{url}"\n' for number, url in enumerate(urls)}
    fleet = write_fleet(folder / "fleet", recipes, FLEET)
    options = ("--fleet", str(fleet), "--state", str(folder / "state"))
    made = {
        FLOOR: Way(("xargs", "-P8", "-n1", "git", "ls-remote"), listed),
        "yardstick": Way((sys.executable, "-m", "benchmarks.yardstick"), listed),
        "ask alone": Way((sys.executable, "-c", ASK), listed),
        "reconcile --dry-run": Way((sys.executable, "-m", "reconciler", *options, "--dry-run"), codes=(0, 2)),
    }
    return made | ({"curl --parallel (8)": curl(folder, urls)} if shutil.which("curl") else {})


def curl(folder: Path, urls: Sequence[str]) -> Way:
    """Return the way that does nothing but the requests."""
    (folder / "body").write_bytes(ls_refs_request())
    lines = [f'url = "{url}/git-upload-pack"\noutput = "/dev/null"\n' for url in urls]
    (folder / "curl").write_text("".join(lines))
    headers = (f"Content-Type: {CONTENT_TYPE}", "Git-Protocol: version=2")
    named = [part for header in headers for part in ("-H", header)]
    data = ("--data-binary", f"@{folder / 'body'}", "-K", str(folder / "curl"))
    # The one CA alone: curl reads a bundle again for every connection.
    bundle = Path(os.environ.get("GIT_SSL_CAINFO", ""))
    trusted = ("--cacert", str(bundle.with_name("ca.pem"))) if "GIT_SSL_CAINFO" in os.environ else ()
    return Way(("curl", "-sSf", "--http1.1", "-Z", "--parallel-max", "8", *trusted, *named, *data))


def table(costs: Mapping[str, Sequence[Cost]], floor_name: str = FLOOR) -> str:
    """Return a table of ratios to the floor: the median of the rounds' ratios, the least and the greatest.

    The last column is the greatest peak memory in MiB.
    """
    lines = ["| way | time | from | to | CPU | MiB |", "|---|---|---|---|---|---|"]
    for name, each in costs.items():
        ratios = [cost.elapsed / floor.elapsed for cost, floor in zip(each, costs[floor_name], strict=True)]
        cpu = statistics.median(cost.cpu / floor.cpu for cost, floor in zip(each, costs[floor_name], strict=True))
        peak = max(cost.peak for cost in each)
        lines.append(
            f"| {name} | {statistics.median(ratios):.3f} | {min(ratios):.3f} | {max(ratios):.3f} "
            f"| {cpu:.3f} | {peak:.0f} |"
        )
    return "\n".join(lines)


def make_authority(folder: Path, address: str = "127.0.0.1") -> CertificateAuthority:
    """Make a CA, and have every way trust it and the public CAs, as on a host with a private forge."""
    made = make_certificate_authority(folder, address)
    public = next((Path(path) for path in CA_BUNDLES if Path(path).is_file()), None)
    bundle = folder / "bundle.pem"
    bundle.write_bytes(made.certificate.read_bytes() + (public.read_bytes() if public else b""))
    os.environ["GIT_SSL_CAINFO"] = str(bundle)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", type=int, nargs="?", default=21)
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    parser.add_argument("--tags", type=int, default=40)
    parser.add_argument("--tls", action="store_true", help="over HTTPS; needs lighttpd-mod-openssl")
    options = parser.parse_args()
    end_on_sigterm()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        tls = make_authority(folder / "ca") if options.tls else None
        with forge(folder / "forge", tls) as served:
            make_repository(served.root / "first.git", options.tags)
            for number in range(options.recipes):
                shutil.copytree(served.root / "first.git", served.root / f"r{number}.git")
            compared = ways(folder, [served.address(f"r{number}") for number in range(options.recipes)])
            kind = "HTTPS" if tls else "HTTP"
            print(f"{options.recipes} recipes over {kind}, {options.tags} tags, medians of {options.rounds} rounds")
            print(table(measure(compared, options.rounds)))


if __name__ == "__main__":
    main()
