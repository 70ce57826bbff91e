"""CSV files for programs of every country: marks, quotes, spaces, and what pandas reads."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimgen.export.csv_style import DECIMALS, SEPARATORS, CsvStyle
from stimgen.reading.errors import StimgenError

STYLES = [
    CsvStyle(separator, decimal, mark)
    for separator, between in SEPARATORS.items()
    for decimal, point in DECIMALS.items()
    for mark in (True, False)
    if between != point
]
# What a spreadsheet would run gets an apostrophe; carriage returns alone are line feeds for pandas.
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20).filter(
    lambda text: not text.startswith(tuple("=+-@\t\ufeff"))
)


@pytest.mark.parametrize("style", STYLES, ids=str)
@given(st.lists(st.tuples(WORDS, st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=5))
def test_pandas_reads_what_was_written(style: CsvStyle, rows: list[tuple[str, float]]) -> None:
    data = style.format_rows([{'a "b" c': word, "näme": number} for word, number in rows])
    assert data.startswith(b"\xef\xbb\xbf") == style.byte_order_mark
    table = pd.read_csv(
        io.BytesIO(data),
        sep=SEPARATORS[style.separator],
        decimal=DECIMALS[style.decimal],
        keep_default_na=False,
        encoding="utf-8-sig",
        dtype={'a "b" c': str},
    )
    assert table['a "b" c'].tolist() == [word for word, _ in rows]
    assert table["näme"].tolist() == [number for _, number in rows]


def test_a_comma_is_one_mark_only() -> None:
    with pytest.raises(StimgenError, match="comma") as caught:
        CsvStyle(decimal="comma")
    assert "--separator semicolon" in str(caught.value)
    with pytest.raises(StimgenError, match="did you mean 'semicolon'"):
        CsvStyle("semicolons")


def test_whole_numbers_and_formulas_are_as_ever() -> None:
    found = CsvStyle("semicolon", "comma", byte_order_mark=False).format_lines(
        [["n", "text"], [1, "=A1"], [None, True], [0.5, "1.5"]]
    )
    assert found.decode() == "n;text\n1;'=A1\n;True\n0,5;1.5\n"
