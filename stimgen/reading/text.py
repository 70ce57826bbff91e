"""Text from strangers, made fit for one line of a document, and for a cell of a table."""

from __future__ import annotations

import unicodedata
from typing import Any

# Without them some scripts are spelt wrongly: the zero-width non-joiner and joiner.
JOINERS = "\u200c\u200d"
# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_one_line(text: str) -> str:
    r"""Return text in composed letters, its spaces and line feeds single spaces, without hidden characters.

    Control characters, marks that turn the direction of writing, surrogates and unassigned characters are
    left out: what is read is what is there.

    Examples
    --------
    >>> to_one_line("A title\n of\t two lines\u202e\x1b[31m")
    'A title of two lines[31m'
    """
    words = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(c for c in words if c.isprintable() or c in JOINERS)


def escape_formula(value: Any) -> Any:
    """Return a cell of a table: text that a spreadsheet would run is marked as text by an apostrophe."""
    return "'" + value if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
