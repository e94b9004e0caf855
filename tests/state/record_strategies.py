"""Hypothesis strategies for every record, with texts as upstream may send them."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from state.decisions import Hold, Rollback
from state.disk_use import DiskUse
from state.kept_deployment import DeploymentRecord
from state.records import (
    Answer,
    BaseRecord,
    Canonical,
    Circumstances,
    Evidence,
    FileSeal,
    FoundDamage,
    Intent,
    KnownTag,
    LedgerEntry,
    Memory,
    Place,
    Red,
    Seal,
    TierRecord,
)

# Low surrogates stand for bytes that were no text. High ones never come: a pair of both would be another character.
_CHARACTERS = st.characters(exclude_categories=()).filter(lambda char: not "\ud800" <= char <= "\udbff")
TEXTS = st.text(_CHARACTERS, max_size=12) | st.sampled_from(
    ["", "\0", "\udcff", "--upload-pack=x", "\u202e", "\x9b", "'"]
)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - naive by contract
NUMBERS = st.integers(0, 2**63 - 1)
SECONDS = st.floats(0, 1e9) | st.integers(0, 9)

FILE_SEALS = st.builds(FileSeal, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
PLACES = st.builds(
    Place,
    trigger=TEXTS,
    unit=TEXTS,
    user=TEXTS,
    path=TEXTS,
    variables=st.lists(TEXTS, max_size=2).map(tuple),
    tools=st.dictionaries(TEXTS, TEXTS, max_size=2),
    digest=TEXTS,
    versions_digest=TEXTS,
)
EVIDENCE = st.builds(
    Evidence,
    trial=TEXTS,
    pass_id=TEXTS,
    started_at=TIMES,
    finished_at=TIMES,
    place=PLACES,
    canon=TEXTS,
    fleet=TEXTS,
    tests=TEXTS,
    level=TEXTS,
    base=st.builds(BaseRecord, st.none() | TEXTS, TEXTS),
    tiers=st.lists(st.builds(TierRecord, TEXTS, TEXTS, TEXTS, SECONDS), max_size=2).map(tuple),
    log=TEXTS,
    findings=st.lists(TEXTS, max_size=2).map(tuple),
)
SEALS = st.builds(
    Seal,
    manifest=TEXTS,
    files=st.dictionaries(TEXTS, FILE_SEALS, max_size=2),
    bytes=NUMBERS,
    packed=NUMBERS,
    entries=NUMBERS,
)
CANONICALS = st.builds(
    Canonical,
    recipe=NAMES,
    version=TEXTS,
    commit=TEXTS,
    generation=st.integers(1, 99),
    lineage=st.lists(TEXTS, max_size=3).map(tuple),
    promoted_at=TIMES,
    evidence=EVIDENCE,
    seal=SEALS,
    copy_of=st.none() | NUMBERS,
)
ANSWERS = st.builds(Answer, TEXTS, TEXTS, TEXTS, st.dictionaries(TEXTS, st.none() | TEXTS, max_size=3))
CIRCUMSTANCES = st.builds(Circumstances, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
REDS = st.builds(Red, TEXTS, CIRCUMSTANCES, TIMES, TEXTS, TEXTS)
DAMAGES = st.builds(FoundDamage, NUMBERS, TEXTS, TIMES)
MEMORIES = st.builds(
    Memory,
    recipe=NAMES,
    not_commits=st.dictionaries(TEXTS, TEXTS, max_size=2),
    damage=st.none() | DAMAGES,
    older_damage=st.lists(DAMAGES, max_size=2).map(tuple),
    looks=st.dictionaries(TEXTS, st.dictionaries(TEXTS, FILE_SEALS, max_size=2), max_size=2),
    answer=st.none() | ANSWERS,
    answered_at=st.none() | TIMES,
    known=st.dictionaries(TEXTS, st.builds(KnownTag, TEXTS, TIMES), max_size=2),
    reds=st.dictionaries(TEXTS, REDS, max_size=2),
    last_trial=st.none() | TEXTS,
    last_trial_at=st.none() | TIMES,
    seconds=st.none() | SECONDS,
    peaks=st.lists(st.builds(DiskUse, *[st.integers(0, 2**50)] * 4), max_size=3).map(tuple),
)
INTENTS = st.builds(Intent, TEXTS, NAMES, TEXTS, TEXTS, st.integers(1, 99), TIMES, st.none() | NUMBERS)
HOLDS = st.builds(Hold, NAMES, TEXTS, TEXTS, TIMES, st.none() | st.dates())
ROLLBACKS = st.builds(Rollback, NAMES, TEXTS, TEXTS, TIMES, TEXTS, TEXTS)
UPKEEPS = st.builds(
    DeploymentRecord,
    generation=st.integers(0, 99),
    parts=st.dictionaries(TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=3),
    up_at=st.none() | TIMES,
    missing=TEXTS,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
ENTRIES = st.builds(LedgerEntry, TIMES, TEXTS, TEXTS, st.dictionaries(TEXTS, JSON, max_size=3))
