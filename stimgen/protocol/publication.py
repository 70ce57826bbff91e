"""Describes what a set is made with, and the papers behind it, for readers without torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from pydantic import BaseModel

from stimgen.networks.module import ModuleNetwork
from stimgen.protocol.schema import Protocol
from stimgen.reading.papers import resolve_papers
from stimgen.reading.registry import FamilyMember
from stimgen.stimulus_set.citing.matching import KIND, cite_matching
from stimgen.stimulus_set.metadata import CitedMember

OBJECTIVE = "objective"  # the method that has no name


def build_publication(protocol: Protocol) -> dict[str, Any]:
    """Return what a set says about itself as a publication, in addition to its title and authors.

    ``choices`` lists every family member in use, with its phrase for a methods section and the keys of its
    papers; ``literature`` these papers; ``papers`` those that the protocol itself names.
    """
    conditions = [(condition.resolved_method, condition.after) for condition in protocol.conditions]
    everything = (conditions, protocol.sources, protocol.references, protocol.judge)
    used = sorted(_find_members(everything), key=_member_key)
    choices = [choice for key, alike in groupby(used, _member_key) for choice in _build_choices(key, alike)]
    if protocol.matching is not None:
        choices.append(cite_matching(protocol.matching.to_dict()))
    cited = [paper for one in used for paper in one.citations()]
    literature = resolve_papers([*cited, *(key for one in choices if one.kind == KIND for key in one.papers)])
    return {
        "choices": [choice.to_dict() for choice in choices],
        "literature": [paper.to_dict() for paper in literature],
        "papers": [paper.to_dict() for paper in protocol.papers],
    }


def describe_code(protocol: Protocol) -> list[dict[str, str]]:
    """Return name, hash and text of every Python file that networks of a protocol are defined in."""
    codes = {one.code.sha256: one.code for one in _find_members(protocol) if isinstance(one, ModuleNetwork)}
    return [
        {"file": code.file.name, "sha256": code.sha256, "text": code.data.decode("utf-8", "replace")}
        for code in codes.values()
    ]


def _find_members(value: Any) -> Iterator[FamilyMember]:
    """Yield the members that a value is or contains, at any depth."""
    if isinstance(value, FamilyMember):
        yield value
    if isinstance(value, BaseModel):
        value = [getattr(value, name) for name in type(value).model_fields]
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, dict)):
        for inner in value:
            yield from _find_members(inner)


def _member_key(member: FamilyMember) -> tuple[str, str]:
    return type(member).__module__.split(".")[-2], getattr(member, "name", OBJECTIVE)


def _build_choices(key: tuple[str, str], alike: Iterable[FamilyMember]) -> list[CitedMember]:
    """Return a choice for all members of one name; one for each list of papers if they cite differently."""
    kind, name = key
    by_papers: dict[tuple[str, ...], list[FamilyMember]] = {}
    for member in alike:
        keys = tuple(paper.key for paper in resolve_papers(member.citations()))
        members = by_papers.setdefault(keys, [])
        if member not in members:
            members.append(member)
    several = len(by_papers) > 1
    return [
        CitedMember(
            kind=kind,
            name=name,
            phrase=members[0].phrase or name.replace("_", " "),
            papers=papers,
            fields=tuple(member.to_dict() for member in members) if several else (),
        )
        for papers, members in by_papers.items()
    ]
