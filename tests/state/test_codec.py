from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import fields, frozen, has
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from state.codec import NotARecordError, canonical_json, dump, load, storable, time_of, time_text
from state.decisions import Hold, Rollback
from state.records import Answer, Canonical, Evidence, FoundDamage, Intent, Memory, Place, Red, Seal, TierRecord
from tests.state.record_strategies import CANONICALS, HOLDS, INTENTS, JSON, MEMORIES, ROLLBACKS, TEXTS, TIMES
from tests.values import canonical


@given(CANONICALS | MEMORIES | INTENTS | HOLDS | ROLLBACKS)
def test_every_record_that_is_read_equals_the_written_one(record: Canonical | Memory | Intent) -> None:
    text = dump(record)
    assert load(text, type(record)) == record
    assert text.isascii()


@given(JSON)
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: object) -> None:
    assert canonical_json(_reversed(value)) == canonical_json(value)


def _reversed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(each) for each in value] if isinstance(value, list) else value


@given(TIMES, st.integers(-14, 14))
def test_a_time_is_written_in_utc_with_microseconds_whatever_its_zone(moment: datetime, hours: int) -> None:
    text = time_text(moment.astimezone(timezone(timedelta(hours=hours))))
    assert text == moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert time_of(text) == moment


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        time_text(datetime(2026, 1, 1))  # noqa: DTZ001 - the case


@pytest.mark.parametrize("text", ["2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000+00:00", ""])
def test_a_time_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        time_of(text)


@given(TEXTS)
def test_a_column_holds_any_text_and_keeps_what_is_text(text: str) -> None:
    stored = storable(text)
    stored.encode("utf-8")
    assert stored == text or any("\ud800" <= char <= "\udfff" for char in text)


TIER = '{"name":"install","verdict":"pass","reason":"","seconds":1.5}'


def test_a_whole_number_of_seconds_may_be_written_as_an_integer() -> None:
    assert load(TIER.replace("1.5", "2"), TierRecord) == TierRecord("install", "pass", "", 2.0)


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ("1.5", '"1.5"'),
        ("1.5", "true"),
        ("1.5", "null"),
        ('"install"', "1"),
        ('"install"', "null"),
        ('"reason"', '"reasons"'),
        ('"reason":"",', ""),
        ("}", ',"more":1}'),
        ("}", ""),
        (TIER, "[]"),
        (TIER, "null"),
        (TIER, ""),
    ],
)
def test_a_text_that_canon_did_not_write_is_refused(change: str, to: str) -> None:
    with pytest.raises(NotARecordError):
        load(TIER.replace(change, to), TierRecord)


def test_a_record_inside_a_record_is_checked_as_strictly() -> None:
    text = dump(canonical("1.0.0", "c" * 40)).replace('"inode":1', '"inode":"1"')
    with pytest.raises(NotARecordError):
        load(text, Canonical)


def test_a_text_is_not_read_as_a_list_of_its_letters() -> None:
    record = canonical("1.0.0", "c" * 40)
    with pytest.raises(NotARecordError, match="is not a list"):
        load(dump(record).replace('"lineage":["1.0.0"]', '"lineage":"1.0.0"'), Canonical)


def test_a_record_with_a_field_that_nothing_reads_is_a_fault_of_the_program() -> None:
    @frozen
    class WithASet:
        names: frozenset[str]

    with pytest.raises(NotImplementedError, match="frozenset"):
        load("{}", WithASet)


def test_only_records_and_times_are_written_beside_plain_data() -> None:
    with pytest.raises(TypeError):
        dump({"at": object()})
    with pytest.raises(TypeError):
        canonical_json({"at": datetime(2026, 1, 1, tzinfo=UTC)})


def test_a_time_in_another_zone_is_the_same_record() -> None:
    berlin = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=1)))
    intent = Intent("op", "notes", "1.0.0", "c" * 40, 1, berlin)
    assert load(dump(intent), Intent) == intent
    assert load(dump(intent), Intent).begun_at.tzinfo == UTC


DRAWS = 100
"""So many records are drawn for all fields together. A field that is in none of them is searched for alone."""

KINDS = (Canonical, Evidence, Place, TierRecord, Seal, Memory, Answer, Red, FoundDamage, Intent, Hold, Rollback)
RECORDS: dict[type, st.SearchStrategy[object]] = {
    Canonical: CANONICALS,
    Memory: MEMORIES,
    Intent: INTENTS,
    Hold: HOLDS,
    Rollback: ROLLBACKS,
}


@pytest.mark.parametrize(
    ("kind", "name"),
    [pytest.param(kind, each.name, id=f"{kind.__name__}.{each.name}") for kind in KINDS for each in fields(kind)],
)
def test_the_strategies_draw_every_field_of_every_record(
    kind: type, name: str, drawn_fields: set[tuple[type, str]]
) -> None:
    """A field that was added to a record and not to its strategy would go untested."""
    if (kind, name) in drawn_fields:
        return

    def fills(record: object) -> bool:
        return (kind, name) in _filled(record)

    # It searches until it has one, so no number of draws has to do.
    whole = RECORDS.get(kind, st.one_of(*RECORDS.values()))
    find(whole, fills, settings=settings(max_examples=5000, database=None, phases=[Phase.generate]))


@pytest.fixture(scope="module")
def drawn_fields() -> set[tuple[type, str]]:
    """Return the fields, each with its class, that are not empty in some of the records that a few draws gave."""
    found: set[tuple[type, str]] = set()

    @given(st.one_of(*RECORDS.values()))
    @settings(max_examples=DRAWS, database=None, phases=[Phase.generate])
    def draw(record: object) -> None:
        found.update(_filled(record))

    draw()
    return found


def _filled(record: object) -> Iterator[tuple[type, str]]:
    """Yield class and name of each field in a record, and in the records in it, that is not empty."""
    for part in _records_in(record):
        yield from ((type(part), name) for name, value in _values(part).items() if value not in _EMPTY)


_EMPTY: tuple[object, ...] = (None, (), {})


def _values(record: object) -> dict[str, object]:
    return {each.name: getattr(record, each.name) for each in type(record).__attrs_attrs__}  # type: ignore[attr-defined]


def _records_in(value: object) -> Iterator[object]:
    if has(type(value)):
        yield value
        yield from _records_in(list(_values(value).values()))
    elif isinstance(value, Mapping):
        yield from _records_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _records_in(each)
