"""What tests put into a state folder: a person's file, and the ids of trials with logs."""

from pathlib import Path

T1, T2, T9, T10 = (f"20261101T000000.{number:06}Z" for number in (1, 2, 9, 10))


def file(path: Path) -> None:
    path.write_text("mine")
