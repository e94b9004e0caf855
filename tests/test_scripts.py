"""The scripts of a recipe's tests, looked at before anything is deployed."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.scripts import unfit_first_line


def none_missing(_: Sequence[str]) -> Sequence[str]:
    return ()


def all_missing(tools: Sequence[str]) -> Sequence[str]:
    return tools


@given(st.binary(max_size=40).filter(lambda line: not line.startswith((b"#!", b"\xef\xbb\xbf#!"))))
def test_what_is_no_script_is_never_unfit(line: bytes) -> None:
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
