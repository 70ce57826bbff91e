"""Formats references in the style of the American Psychological Association, 7th edition, as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stimgen.reading.names import PersonName
from stimgen.reading.papers import Paper
from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.citing.wording import format_sentence

MAX_AUTHORS = 20  # beyond it, the first 19 and the last


class References:
    """Formats the papers that are cited in one text; a letter tells apart those that would be cited alike."""

    def __init__(self, papers: Iterable[Paper]) -> None:
        unique = {paper.key: paper for paper in papers}.values()
        self._papers = sorted(unique, key=lambda one: (format_authors(one.authors), one.year, one.title))
        alike: dict[str, list[Paper]] = {}
        for paper in self._papers:
            alike.setdefault(_cite_in_text(paper), []).append(paper)
        self._letters = {
            paper.key: chr(ord("a") + i) if len(group) > 1 else ""
            for group in alike.values()
            for i, paper in enumerate(group)
        }

    def in_text(self, papers: Sequence[Paper]) -> str:
        """Return papers as a sentence cites them, without brackets: ``Gatys et al., 2015; ...``."""
        keys = {paper.key for paper in papers}
        cited = [paper for paper in self._papers if paper.key in keys]
        return "; ".join(_cite_in_text(paper) + self._letters[paper.key] for paper in cited)

    def lines(self) -> list[str]:
        """Return the list of references."""
        return [self._reference(paper) for paper in self._papers]

    def _reference(self, paper: Paper) -> str:
        beginning = f"{format_authors(paper.authors)} ({paper.year}{self._letters[paper.key]})"
        texts = (beginning, to_one_line(paper.title), _describe_venue(paper))
        return " ".join(part for part in (*map(format_sentence, texts), paper.link) if part)


def format_authors(authors: Sequence[str]) -> str:
    """Return authors as they stand in a list of references."""
    names = [PersonName.parse(author).family_first for author in authors]
    if len(names) > MAX_AUTHORS:
        return f"{', '.join(names[: MAX_AUTHORS - 1])}, ... {names[-1]}"
    return f"{', '.join(names[:-1])}, & {names[-1]}" if len(names) > 1 else "".join(names)


def _cite_in_text(paper: Paper) -> str:
    families = [PersonName.parse(author).family for author in paper.authors]
    who = f"{families[0]} et al." if len(families) > 2 else " & ".join(families)
    return f"{who}, {paper.year}"


def _describe_venue(paper: Paper) -> str:
    """Return journal, volume, number and pages; or the proceedings; of a preprint, its archive only."""
    venue, pages = to_one_line(paper.venue or ""), to_one_line(paper.pages or "").replace("-", "\u2013")
    volume, number = to_one_line(paper.volume or ""), to_one_line(paper.number or "")
    if paper.kind == "preprint":
        return "arXiv" if paper.arxiv else venue
    if paper.kind == "inproceedings":
        inside = [f"Vol. {volume}" if volume else "", f"pp. {pages}" if pages else ""]
        brackets = ", ".join(part for part in inside if part)
        return f"In {venue}" + (f" ({brackets})" if brackets else "")
    issue = f"{volume}({number})" if number else volume
    return ", ".join(part for part in (venue, issue, pages) if part)
