"""Adds up the tests of both CI runs, and checks that every test ran exactly once.

    python3 tests/outcome_totals.py FRESH LACKED HERE

Each is a file of pytest's `--outcomes`: tests run on the fresh machine, tests skipped there, and tests run here. Uses
the standard library alone, since it also runs without our environment.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

Outcomes = Mapping[str, str]


def read_outcomes(text: str) -> Outcomes:
    """Return the outcome of each test. A test that failed at any time has failed."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        outcome, _, test = line.partition(" ")
        if found.get(test) != "failed":
            found[test] = outcome
    return found


def problems(fresh: Outcomes, lacked: Outcomes, here: Outcomes) -> Iterator[str]:
    """Yield why the two runs are not one run of all tests. Failed tests are no such problem: pytest reports them."""
    yield from (f"ran on the fresh machine and here: {test}" for test in sorted(fresh.keys() & here.keys()))
    yield from (f"ran nowhere: {test}" for test in sorted(lacked.keys() - fresh.keys() - here.keys()))
    yield from (f"is not known on the fresh machine: {test}" for test in sorted(here.keys() - lacked.keys()))
    yield from (f"was not skipped for what is lacking: {test}" for test in sorted(_other(lacked, "skipped")))
    yield from (f"was skipped: {test}" for test in sorted(_same(fresh, "skipped") | _same(here, "skipped")))
    yield from (f"nothing ran {where}" for where, ran in (("on the fresh machine", fresh), ("here", here)) if not ran)


def _same(outcomes: Outcomes, asked: str) -> set[str]:
    return {test for test, outcome in outcomes.items() if outcome == asked}


def _other(outcomes: Outcomes, asked: str) -> set[str]:
    return outcomes.keys() - _same(outcomes, asked)


def count(*runs: Outcomes) -> str:
    counted = Counter(outcome for run in runs for outcome in run.values())
    told = [f"{counted['passed']} passed", f"{counted['failed']} failed"]
    return ", ".join(told + [f"{counted['skipped']} skipped"] * bool(counted["skipped"]))


def main(*files: str) -> int:
    # A run that did not start has no file.
    texts = [path.read_text(encoding="utf-8") if (path := Path(file)).exists() else "" for file in files]
    fresh, lacked, here = map(read_outcomes, texts)
    found = list(problems(fresh, lacked, here))
    for problem in found:
        print(f"tests: {problem}")  # noqa: T201
    print(f"on a fresh machine, as an ordinary user: {count(fresh)}")  # noqa: T201
    print(f"here, with what that lacks: {count(here)}")  # noqa: T201
    print(count(fresh, here))  # noqa: T201
    return 1 if found or "failed" in {*fresh.values(), *here.values()} else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
