"""The check of a recipe's scripts before anything is deployed."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.trial.scripts import script_given, unfit_first_line


def none_missing(_: Sequence[str]) -> Sequence[str]:
    return ()


def all_missing(tools: Sequence[str]) -> Sequence[str]:
    return tools


@given(st.binary(max_size=40).filter(lambda line: not line.startswith((b"#!", b"\xef\xbb\xbf#!"))))
def test_a_file_that_is_no_script_is_never_called_unfit(line: bytes) -> None:
    assert unfit_first_line(line, all_missing) == ""


@given(st.sampled_from([b"#!/bin/sh", b"#!/usr/bin/env python3", b"#! /bin/sh -e", b"#!/usr/bin/env -S python3 -I"]))
def test_a_script_is_unfit_only_with_a_carriage_return(line: bytes) -> None:
    assert unfit_first_line(line, none_missing) == ""
    assert "carriage return" in unfit_first_line(line + b"\r", none_missing)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (b"#!/opt/nowhere/python", "/opt/nowhere/python"),
        (b"#!/usr/bin/env -S nowhere -I", "nowhere"),
        (b"#!/usr/bin/env A=1 nowhere", "nowhere"),
        (b"\xef\xbb\xbf#!/bin/sh", "byte order mark"),
    ],
)
def test_an_interpreter_that_is_missing_is_named(line: bytes, named: str) -> None:
    assert named in unfit_first_line(line, all_missing)


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("python3 mark.py", "mark.py"),
        ("/usr/bin/python3.13 -I -B mark.py --all", "mark.py"),
        ("sh -eu tests/mark.sh", "tests/mark.sh"),
        ("bash mark", "mark"),
        ("perl -w mark.pl", "mark.pl"),
        ("node mark.js", "mark.js"),
        # Code that is passed with an option or on standard input is no script of the tests.
        ("sh -c mark", ""),
        ("python3 -m http.server", ""),
        ("perl -e exit", ""),
        ("bash -euo pipefail mark.sh", ""),
        ("sh -", ""),
        ("python3", ""),
        ("curl mark.py", ""),
        ("./mark.py", ""),
        ("shfmt mark.sh", ""),
    ],
)
def test_the_script_that_an_interpreter_is_given_is_found(command: str, script: str) -> None:
    assert script_given(tuple(command.split())) == script


@given(st.lists(st.text(), min_size=1))
def test_a_script_given_is_a_word_of_its_command_that_is_no_option(argv: list[str]) -> None:
    script = script_given(tuple(argv))
    assert not script or (script in argv[1:] and not script.startswith("-"))
