"""Generators that are passed on, and run to their end."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from stimgen.reading.generators import map_generator, run_generator


def steps(closed: list[str]) -> Generator[int, None, str]:
    try:
        yield from (1, 2)
        return "found"
    finally:
        closed.append("closed")


def test_what_is_returned_is_passed_on() -> None:
    told = []
    assert run_generator(map_generator(steps([]), str), told.append) == "found"
    assert told == ["1", "2"]


def test_closing_closes_what_is_retold() -> None:
    closed: list[str] = []
    passing = map_generator(steps(closed), str)
    next(passing)
    passing.close()
    assert closed == ["closed"]


def test_errors_pass_through() -> None:
    def failing() -> Generator[int, None, None]:
        yield 1
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run_generator(map_generator(failing(), str))
