"""Combines clauses about several conditions into one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stimgen.stimulus_set.citing.wording import join_words

MAX_DIFFERENCES = 2  # values in which clauses may differ and still be said together, with "respectively"
PUNCTUATION = "(),;"


def combine_clauses(beginning: str, clauses: Mapping[str, str]) -> Iterator[str]:
    """Yield one sentence for the clauses of all conditions, or none where all clauses are empty.

    Parameters
    ----------
    beginning : str
        How the sentence begins.
    clauses : mapping
        From the name of a condition to what is true of it; empty where there is nothing to say.

    Examples
    --------
    >>> list(combine_clauses("seeds were", {"a": "1\u20132", "b": "1\u20132"}))
    ['seeds were 1\u20132']
    >>> list(combine_clauses("images were", {"a": "grey", "b": "coloured"}))
    ['in condition a, images were grey; in condition b, coloured']
    >>> list(combine_clauses("the overlap was", {"a": "0.5", "b": "0.25"}))
    ['in conditions a and b, respectively, the overlap was 0.5 and 0.25']
    """
    by_clause: dict[str, list[str]] = {}
    for name, clause in clauses.items():
        if clause:
            by_clause.setdefault(clause, []).append(name)
    said: list[str] = []
    parts = []
    for group in _group_alike(by_clause):
        names = [name for clause in group for name in by_clause[clause]]
        place = _name_place(names, list(clauses), said) if len(group) == 1 else _name_conditions(names)
        respectively = ", respectively" if len(group) > 1 else ""
        text = _join_clauses(group) if said else f"{beginning} {_join_clauses(group)}"
        parts.append(f"{place}{respectively}, {text}" if place else text)
        said += names
    if parts:
        yield "; ".join(parts)


def _name_place(names: Sequence[str], everywhere: Sequence[str], said: Sequence[str]) -> str:
    others = [name for name in everywhere if name not in names]
    if not others:
        return ""
    if len(names) > 1 and set(others) <= set(said):
        return "in the other conditions"
    if len(names) > 1 and len(others) == 1:
        return f"in all conditions except {others[0]}"
    return _name_conditions(names)


def _name_conditions(names: Sequence[str]) -> str:
    return f"in {'conditions' if len(names) > 1 else 'condition'} {join_words(names)}"


def _group_alike(by_clause: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return clauses in groups that can be said together, with all values where they differ.

    Only clauses of one condition each, so that "respectively" is unambiguous.
    """
    groups: list[list[str]] = []
    for clause, names in by_clause.items():
        alone = len(names) == 1
        group = next((g for g in groups if alone and len(by_clause[g[0]]) == 1 and _fits(clause, g)), None)
        if group is None:
            groups.append([clause])
        else:
            group.append(clause)
    return groups


def _fits(clause: str, group: Sequence[str]) -> bool:
    rows = [one.split(" ") for one in (*group, clause)]
    if len({len(row) for row in rows}) > 1:
        return False
    different = [column for column in zip(*rows, strict=True) if len(set(column)) > 1]
    values = all(any(character.isdigit() for character in word) for column in different for word in column)
    return values and len(different) <= MAX_DIFFERENCES


def _join_clauses(group: Sequence[str]) -> str:
    columns = zip(*(clause.split(" ") for clause in group), strict=True)
    return " ".join(column[0] if len(set(column)) == 1 else _list_values(column) for column in columns)


def _list_values(words: Sequence[str]) -> str:
    first = words[0]
    start = first[: len(first) - len(first.lstrip(PUNCTUATION))]
    end = first[len(first.rstrip(PUNCTUATION)) :]
    return f"{start}{join_words(word.strip(PUNCTUATION) for word in words)}{end}"
