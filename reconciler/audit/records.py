"""Reads the records of a recipe, and compares them with their digests and with the ledger."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from attrs import frozen

from reconciler.audit.claims import Claim, checked, differs
from reconciler.audit.ledger_history import LedgerFact, RecipeHistory
from reconciler.audit.registry_file import RecordRow, StoredRows

# Of each tier that the ledger and a record name: name, verdict, reason and seconds.
_TIER = ("name", "verdict", "reason", "seconds")


class NotReadableError(Exception):
    """A record is no JSON object, or a field of it is missing or has a wrong type."""


@frozen
class ClaimedRelease:
    """What is recorded of one generation of a recipe.

    * `lineage`: the releases that ran on its data, the oldest first.
    * `trial`: the id of its trial.
    * `log`: the folder of the trial's logs, relative to the state folder.
    * `manifest`: the hash of its snapshot's manifest.
    * `files`: the names of the snapshot's files.
    * `size`: the size of its data in bytes.
    * `packed`: the size of the compressed tar in bytes.
    * `entries`: the number of paths in the tar.
    """

    recipe: str
    version: str
    commit: str
    generation: int
    lineage: tuple[str, ...]
    trial: str
    log: str
    manifest: str
    files: tuple[str, ...]
    size: int
    packed: int
    entries: int


@frozen
class ClaimedTags:
    """What is recorded of a recipe's upstream.

    * `tags`: maps each known release tag to its commit.
    * `branch`: the main branch in upstream's last answer; None before the first answer.
    * `head`: the commit of that branch; None before the first answer.
    """

    tags: Mapping[str, str]
    branch: str | None
    head: str | None


def canonical_of(row: RecordRow) -> ClaimedRelease:
    """Return the generation that a row of the table `canonical` records. Raise NotReadableError if that fails."""
    record = fields_of(row)
    try:
        evidence, seal = record["evidence"], record["seal"]
        return ClaimedRelease(
            recipe=str(record["recipe"]),
            version=str(record["version"]),
            commit=str(record["commit"]),
            generation=int(record["generation"]),
            lineage=tuple(map(str, record["lineage"])),
            trial=str(evidence["trial"]),
            log=str(evidence["log"]),
            manifest=str(seal["manifest"]),
            files=tuple(seal["files"]),
            size=int(seal["bytes"]),
            packed=int(seal["packed"]),
            entries=int(seal["entries"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NotReadableError(f"its record lacks {error}") from error


def memory_of(row: RecordRow) -> ClaimedTags:
    """Return what a row of the table `memory` records of upstream. Raise NotReadableError if it cannot be read."""
    record = fields_of(row)
    try:
        answer = record["answer"] or {}
        tags = {str(tag): str(known["commit"]) for tag, known in record["known"].items()}
        return ClaimedTags(tags, answer.get("branch"), answer.get("head"))
    except (KeyError, TypeError, AttributeError) as error:
        raise NotReadableError(f"its record lacks {error}") from error


def record_claims(registry: StoredRows, recipe: str, history: RecipeHistory) -> Iterator[Claim]:
    """Yield the claims about the records of a recipe.

    Each record must match its digest. The generations, the memory and the open intents must also match the ledger.
    `history` is what the ledger says of the recipe. The hold and the differences are left out here: `decision_claims`
    yields the claims on them.
    """
    rows = registry.of("canonical", recipe)
    yield checked(recipe, "generations", *_generation_problems(registry, recipe, rows, history))
    for row in rows:
        yield checked(recipe, f"record of generation {row.generation}", *_canonical_problems(row, history))
    memories = registry.of("memory", recipe)
    if memories or rows or history.last_trial:
        yield checked(recipe, "memory", *_memory_problems(memories, history))
    intents = registry.of("intent", recipe)
    if intents or history.open_intents:
        yield checked(recipe, "open promotion", *_intent_problems(intents, history))
    others = [row for row in registry.records if row.recipe == recipe and row.table not in _OWN_CLAIMS]
    yield from (checked(recipe, row.table.replace("_", " "), row_problem(row)) for row in others)


# Tables whose rows are compared with the ledger, here or in decisions.py. Of others the digest alone is checked.
_OWN_CLAIMS = ("canonical", "memory", "intent", "hold", "drift")


def row_problem(row: RecordRow) -> str:
    """Return how a row differs from what Canon wrote: its digest or a column does not fit its record; "" if all fit."""
    try:
        record = fields_of(row)
    except NotReadableError as error:
        return str(error)
    own = record.get("recipe")
    text = json.dumps([own, row.record], separators=(",", ":"))
    if hashlib.sha256(text.encode("ascii")).hexdigest() != row.digest:
        return f"the row of {row.recipe!r} in the table {row.table} was changed: its digest is another one"
    columns = differs("its recipe", own, row.recipe)
    return columns or ("" if row.generation is None else differs("it", record.get("generation"), row.generation))


def fields_of(row: RecordRow) -> Mapping[str, Any]:
    """Return the record of a row as a JSON object. Raise NotReadableError if it is no JSON object."""
    try:
        record = json.loads(row.record)
    except (ValueError, RecursionError) as error:
        raise NotReadableError(f"its record is no JSON: {error}") from error
    if not isinstance(record, dict):
        raise NotReadableError("its record is no JSON object")
    return record


def _generation_problems(
    registry: StoredRows, recipe: str, rows: Sequence[RecordRow], history: RecipeHistory
) -> Iterator[str]:
    recorded = {row.generation for row in rows}
    for generation in sorted(history.promotions.keys() - recorded):
        yield f"generation {generation} was promoted by line {history.promotions[generation].seq}, and is not recorded"
    for number in sorted(map(str, recorded - history.promotions.keys())):
        yield f"generation {number} is recorded, and no line of the ledger promoted it"
    yield differs("the last generation", registry.generations.get(recipe, 0), history.last_generation)


def _canonical_problems(row: RecordRow, history: RecipeHistory) -> Iterator[str]:
    yield row_problem(row)
    try:
        canonical = canonical_of(row)
    except NotReadableError as error:
        yield str(error)
        return
    if canonical.lineage[-1:] != (canonical.version,):
        yield f"its lineage {' → '.join(canonical.lineage)} does not end with {canonical.version}"
    promotion = history.promotions.get(canonical.generation)
    if promotion is not None:
        yield from _promotion_problems(row, canonical, promotion)
    trial = history.trials.get(canonical.trial)
    if trial is not None:
        yield from _trial_problems(fields_of(row)["evidence"], trial)


def _promotion_problems(row: RecordRow, canonical: ClaimedRelease, promotion: LedgerFact) -> Iterator[str]:
    """Yield a text for each value of a recorded generation that differs from the ledger's line on its promotion.

    `row` is the row with the record, and `canonical` is the record as it was read.
    """
    said = promotion.body
    where = f"(line {promotion.seq} of the ledger)"
    pairs = {"version": canonical.version, "commit": canonical.commit, "lineage": list(canonical.lineage)}
    pairs |= {"record": row.digest}
    for name, recorded in pairs.items():
        if name in said and said[name] != recorded:
            yield f"its {name} is recorded as {recorded}, and was promoted as {said[name]} {where}"


def _trial_problems(evidence: Mapping[str, Any], trial: LedgerFact) -> Iterator[str]:
    """Yield a text for each value in `evidence` that differs from the ledger's line on the trial.

    `evidence` is the evidence in the record of a generation: what it tells of the trial that proved it.
    """
    where = f"line {trial.seq} of the ledger"
    tiers = [[tier.get(name) for name in _TIER] for tier in evidence.get("tiers", ())]
    pairs = {"tiers": tiers, "level": evidence.get("level"), "log": evidence.get("log")}
    for name, recorded in pairs.items():
        if trial.body.get(name) != recorded:
            yield f"the {name} of its evidence differ from {where}"


def _memory_problems(rows: Sequence[RecordRow], history: RecipeHistory) -> Iterator[str]:
    if not rows:
        yield "it is missing, though the ledger or a canonical shows that there was one"
    for row in rows:
        problem = row_problem(row)
        yield problem
        if problem:
            return
        record = fields_of(row)
        last = record.get("last_trial") or ""
        yield differs("the last trial", last, history.last_trial) if last or history.last_trial else ""
        for version, red in sorted(record.get("reds", {}).items()):
            yield _red_problem(version, red, history)


def _red_problem(version: str, red: Mapping[str, Any], history: RecipeHistory) -> str:
    """Return a text on how a remembered red differs from the ledger's line on its trial; "" if both agree.

    The red differs if the ledger has no such trial, or if the line names another release or commit. `version` is the
    release that failed, and `red` is the record of the red.
    """
    trial = history.trials.get(str(red.get("trial")))
    if trial is None:
        return f"{version} is remembered as red, and the ledger has no such trial"
    found = trial.body.get("version"), trial.body.get("commit")
    return differs(f"the red of {version}", (version, red.get("circumstances", {}).get("commit")), found)


def _intent_problems(rows: Sequence[RecordRow], history: RecipeHistory) -> Iterator[str]:
    recorded: set[str] = set()
    for row in rows:
        yield row_problem(row)
        with suppress(NotReadableError):
            recorded.add(str(fields_of(row).get("op")))
    yield from (f"{operation} is open, and no line begins it" for operation in recorded - history.open_intents.keys())
    yield from (f"{operation} has no end, and is not open" for operation in history.open_intents.keys() - recorded)
