"""What git says of objects that upstream sends: which flaws harm nobody, and which are upstream's to mend."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.host.text import one_line

# Checks of git that look at who signed a commit or tag, and when, or at how a number is written. Nothing here reads
# those, and git itself takes them as they come. All other checks guard paths, modes, links and the graph of objects.
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
# The same words without their sender could be of our own copy.
_LACKING: Final = re.compile(
    rb"^remote: .*?\b(?:unable to read|Could not read|bad tree object|packed object|loose object) ([0-9a-f]{40})"
    rb"|upload-pack: not our ref ([0-9a-f]{40})|Unable to find ([0-9a-f]{40}) under"
    rb"|object ([0-9a-f]{40}) \(stored in \./"
    rb"|repository corruption on the remote side|did not send all necessary objects",
    re.MULTILINE,
)


def harmless_settings(section: str) -> str:
    """Lines of a repository's settings by which `section`, "fetch" or "receive", warns of harmless flaws alone."""
    return f'[{section} "fsck"]\n' + "".join(f"\t{kind} = warn\n" for kind in HARMLESS_CHECKS)


def upstream_fault(err: bytes, *, ended_well: bool) -> str | None:
    """Why nobody but upstream can help, from what a fetch said; None where git blames no object.

    A sentence whose subject is upstream.
    """
    if _SHALLOW.search(err):
        return "is a shallow copy: the history of its releases is not all there"
    if ended_well:
        return None
    if flaw := rejected_object(err):
        return flaw
    if _OTHER_FORMAT.search(err):
        return SHA256
    if _PARTIAL.search(err):
        return "is a partial copy: it lacks objects that its releases consist of"
    return _lacking(err)


def rejected_object(err: bytes) -> str | None:
    """The first object that git refused, and by which of its checks, as above; None where it refused none."""
    for level, oid, kind, text in _FLAW.findall(err):
        if level == b"error":
            said = one_line(text, 120)
            return f"has an object that fails git's check {kind.decode()}: {oid.decode()} {said}"
    return None


def _lacking(err: bytes) -> str | None:
    found = list(_LACKING.finditer(err))
    if not found:
        return None
    oid = next((group.decode() for match in found for group in match.groups() if group), "")
    which = f" {oid}" if oid else "s that its releases consist of"
    return f"lacks object{which}: its repository is damaged, or only a part of a copy"


def warned_objects(err: bytes) -> Iterator[tuple[str, str]]:
    """Kind and object of each flaw that git only warned of."""
    for level, oid, kind, _ in _FLAW.findall(err):
        if level == b"warning":
            yield kind.decode(), oid.decode()


def describe_warnings(flaws: Iterable[tuple[str, str]]) -> str:
    """These flaws in one sentence, by kind; "" where there are none."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for kind, oid in sorted(set(flaws)):
        kinds[kind].append(oid)
    told = (f"{kind} ({len(oids)}, as {oids[0][:7]})" for kind, oids in kinds.items())
    listed = ", ".join(told)
    return f"objects of upstream fail checks of git that harm nobody, and were taken: {listed}" if listed else ""
