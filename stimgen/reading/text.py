"""Makes text from others safe for one line of a document or a cell of a table."""

from __future__ import annotations

import unicodedata
from typing import Any

# The zero-width non-joiner and joiner, which some scripts need for correct spelling.
JOINERS = "\u200c\u200d"
# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_one_line(text: str) -> str:
    r"""Return text in composed letters on one line, with single spaces and without hidden characters.

    Control characters, marks that change the direction of writing, surrogates and unassigned characters are
    removed.

    Examples
    --------
    >>> to_one_line("A title\n of\t two lines\u202e\x1b[31m")
    'A title of two lines[31m'
    """
    words = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(c for c in words if c.isprintable() or c in JOINERS)


def escape_formula(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would run as a formula; return other values as is."""
    return "'" + value if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
