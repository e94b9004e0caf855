"""Reads git's messages about objects from upstream: which are harmless, and which faults only upstream can mend."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.host.text import one_line

# Git checks of author, committer, dates and number formats (`git help fsck`). Canon reads none of these fields, and
# git itself accepts such objects without fsck. All other checks protect paths, modes, links and the object graph.
HARMLESS_CHECKS: Final = (
    "badDate",
    "badDateOverflow",
    "badEmail",
    "badName",
    "badTimezone",
    "missingAuthor",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "multipleAuthors",
    "nulInCommit",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
)

SHA256: Final = "names its objects by SHA-256, which mirrors here cannot hold"

_FLAW: Final = re.compile(rb"^(?:remote: )?(error|warning): object ([0-9a-f]{40}): (\w+): (.*?)\s*$", re.MULTILINE)
_OTHER_FORMAT: Final = re.compile(rb"mismatched algorithms")
_SHALLOW: Final = re.compile(rb"shallow roots are not allowed to be updated")
_PARTIAL: Final = re.compile(rb"^remote: .*could not fetch [0-9a-f]{40} from promisor remote", re.MULTILINE)
# The first group of messages counts only after "remote: ": otherwise they could be about the mirror.
_LACKING: Final = re.compile(
    rb"^remote: .*?\b(?:unable to read|Could not read|bad tree object|packed object|loose object) ([0-9a-f]{40})"
    rb"|upload-pack: not our ref ([0-9a-f]{40})|Unable to find ([0-9a-f]{40}) under"
    rb"|object ([0-9a-f]{40}) \(stored in \./"
    rb"|repository corruption on the remote side|did not send all necessary objects",
    re.MULTILINE,
)


def harmless_settings(section: str) -> str:
    """Return lines for a git config file. With them, git only warns about objects with a flaw in HARMLESS_CHECKS.

    Without these lines, git rejects such objects. `section` is "fetch" for objects that git fetches, and "receive" for
    objects that others push.
    """
    return f'[{section} "fsck"]\n' + "".join(f"\t{kind} = warn\n" for kind in HARMLESS_CHECKS)


def upstream_fault(err: bytes, *, succeeded: bool) -> str | None:
    """Return the fault of upstream that git reported on stderr (`err`); None if it reported none.

    The text continues a sentence that begins with "upstream of NAME", such as "lacks object 1a2b…". `succeeded` is True
    if git exited with 0: then only a shallow copy counts as a fault.
    """
    if _SHALLOW.search(err):
        return "is a shallow copy: the history of its releases is not all there"
    if succeeded:
        return None
    if flaw := rejected_object(err):
        return flaw
    if _OTHER_FORMAT.search(err):
        return SHA256
    if _PARTIAL.search(err):
        return "is a partial copy: it lacks objects that its releases consist of"
    return _lacking(err)


def rejected_object(err: bytes) -> str | None:
    """Return a text on the first object that git rejected; None if it rejected none. `err` is what git wrote to stderr.

    The text continues a sentence that begins with "upstream of NAME": "has an object that fails git's check …".
    """
    for level, oid, kind, text in _FLAW.findall(err):
        if level == b"error":
            return f"has an object that fails git's check {kind.decode()}: {oid.decode()} {one_line(text, 120)}"
    return None


def _lacking(err: bytes) -> str | None:
    found = list(_LACKING.finditer(err))
    if not found:
        return None
    oid = next((group.decode() for match in found for group in match.groups() if group), "")
    which = f" {oid}" if oid else "s that its releases consist of"
    return f"lacks object{which}: its repository is damaged, or only a part of a copy"


def warned_objects(err: bytes) -> Iterator[tuple[str, str]]:
    """Yield each object that git only warned about: the name of the check that it failed, and its id.

    `err` is what git wrote to stderr.
    """
    for level, oid, kind, _ in _FLAW.findall(err):
        if level == b"warning":
            yield kind.decode(), oid.decode()


def describe_warnings(flaws: Iterable[tuple[str, str]]) -> str:
    """Return one sentence for the report on objects with harmless flaws; "" if there are none.

    `flaws` has pairs: the name of a check of git, and the id of an object that failed it. For each check, the sentence
    has the number of objects, and the id of one object.
    """
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for kind, oid in sorted(set(flaws)):
        kinds[kind].append(oid)
    listed = ", ".join(f"{kind} ({len(oids)}, as {oids[0][:7]})" for kind, oids in kinds.items())
    return f"objects of upstream fail harmless checks of git, and were accepted: {listed}" if listed else ""
