"""Lines and letters: nothing is lost, nothing leaves its box."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stimgen.experiment.presentation.layout import LINE_HEIGHT, break_lines, fit_text


def measure(text: str) -> float:
    """Letters of a typewriter, half as wide as they are high."""
    return len(text) / 2


def test_lines_are_as_long_as_the_width_allows_and_line_feeds_stay() -> None:
    assert break_lines("one two three\n\nfour", 4.0, measure) == ["one two", "three", "", "four"]
    assert break_lines("one two", 3.5, measure) == ["one two"]


def test_a_word_is_broken_only_where_it_must_be() -> None:
    assert break_lines("abcdefgh", 2.0, measure) == ["abcd", "efgh"]


def test_letters_become_smaller_rather_than_a_word_broken() -> None:
    lines, size = fit_text("electromagnetically", (120, 60), measure)
    assert lines == ["electromagnetically"]
    assert 12.0 < size < 13.0
    # Writing without blanks has no words to be kept.
    lines, size = fit_text("字" * 60, (120, 200), measure)
    assert len(lines) > 1
    assert "".join(lines) == "字" * 60


def test_a_short_text_has_large_letters() -> None:
    assert fit_text("yes", (640, 400), measure) == (["yes"], 32.0)
    assert fit_text("", (640, 400), measure) == ([""], 32.0)


@given(st.text("ab \n", max_size=300), st.integers(80, 2000), st.integers(40, 2000))
def test_no_word_is_lost_and_lines_fit(text: str, width: int, height: int) -> None:
    lines, size = fit_text(text, (width, height), measure)
    assert "".join(lines).replace(" ", "") == "".join(text.split())
    assert all(measure(line) * size <= width + 1e-6 for line in lines)
    assert size >= 8.0
    assert size == 8.0 or len(lines) * size * LINE_HEIGHT <= height
