"""Asks a server by HTTP within the process and by `git ls-remote`, and compares the replies."""

import re
from pathlib import Path

from attrs import evolve

from desired.model import Recipe
from desired.releases import Unobservable
from reconciler.host.git.ls_remote import LsRemote
from reconciler.host.git.upstream import GitUpstream, reply_to
from reconciler.ports.repositories import Reply, TagQuery, Unchanged
from state.records import Answer
from tests.faulty_git_server import REFS, V2_CAPABILITIES, advertisement, answers, ls_refs_answer, packet

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
SMART = "application/x-git-upload-pack-advertisement"
LISTED = "application/x-git-upload-pack-result"
PROTOCOLS = ("http", "https", "file")
# The old protocol's refs, as a forge lists them to git.
WHOLE = answers(advertisement(*REFS), kind=SMART)
V2 = ls_refs_answer(f"{REFS[0]} symref-target:refs/heads/main", *REFS[1:])
V2_SERVED = answers(packet("# service=git-upload-pack\n") + b"0000" + V2_CAPABILITIES, kind=SMART)
MOST = 20_000


def query(url: str, known: str | None = None) -> TagQuery:
    return TagQuery(Recipe("notes", url, Path("/nowhere")), known)


def ask(url: str, known: str | None = None, deadline: float = 30.0) -> Reply:
    asked = GitUpstream(ENVIRONMENT, PROTOCOLS, deadline, sleep=lambda _: None, most=MOST)
    return asked.ask([query(url, known)])["notes"]


def ask_git(url: str, known: str | None = None, deadline: float = 30.0) -> Reply:
    listed = LsRemote(ENVIRONMENT, PROTOCOLS, sleep=lambda _: None, most=MOST).list(url, deadline)
    return reply_to(query(url, known), listed)


def label(reply: Reply) -> object:
    """A reply without what differs from one run of git to the next, and without the digest of a body."""
    if isinstance(reply, Answer):
        return evolve(reply, digest=reply.digest.split()[0])
    return re.sub(r"after \d+ ms", "", reply.reason) if isinstance(reply, Unobservable) else reply


def asked_both_ways(url: str, deadline: float = 30.0) -> Reply:
    """Ask both ways, also for what has changed since the answer. Return the reply."""
    ours, gits = ask(url, deadline=deadline), ask_git(url, deadline=deadline)
    assert label(ours) == label(gits)
    if isinstance(ours, Answer):
        assert ask(url, ours.digest, deadline) == ask_git(url, ours.digest, deadline) == Unchanged()
    return ours
