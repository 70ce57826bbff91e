"""Renders a paragraph for a paper's methods section, with the list of its references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.citing.citation import Citation
from stimgen.stimulus_set.citing.formats.apa import format_set_entry
from stimgen.stimulus_set.citing.methods_sentences import MethodsWriter
from stimgen.stimulus_set.citing.references import References
from stimgen.stimulus_set.citing.wording import (
    TIGHT,
    format_brackets,
    format_count,
    format_sentence,
    join_words,
)
from stimgen.stimulus_set.record import SourceRecord


def render(citation: Citation) -> str:
    """Return the paragraph and its references."""
    references = References(citation.papers)
    paragraph = " ".join(format_sentence(text) for text in _list_sentences(citation, references))
    lines = [paragraph, "", "References", format_set_entry(citation), *references.lines()]
    return "\n".join(lines).replace(TIGHT, " ") + "\n"


def _list_sentences(citation: Citation, references: References) -> Iterator[str]:
    summary, papers = citation.summary, citation.metadata.papers
    yield _describe_set(citation)
    if papers:
        yield f"it follows the methods of earlier work ({references.in_text(papers)})"
    yield f"stimuli were generated from {_describe_pictures(summary.sources.values(), 'source image')}"
    if summary.references:
        others = _describe_pictures(summary.references.values(), "other image")
        yield f"targets were also measured in {others}"
    yield from MethodsWriter(citation.metadata, references).describe(summary.conditions)
    if summary.changes:
        yield f"for a quick trial, the protocol was changed: {join_words(map(to_one_line, summary.changes))}"
    yield from _describe_validation(citation)
    yield _describe_software(citation)
    yield _describe_hashes(citation)


def _describe_set(citation: Citation) -> str:
    summary = citation.summary
    version = format_brackets(f"version {citation.version}" if citation.version else "")
    stimuli = format_count(summary.stimuli, "stimulus", "stimuli")
    conditions = format_count(len(summary.conditions), "condition")
    lacking = f" is {citation.incomplete}; it" if citation.incomplete else ""
    title = f"the stimulus set \u201c{citation.title}\u201d{version}{lacking}"
    return f"{title} comprises {stimuli} in {conditions}{_list_conditions(citation)}"


def _list_conditions(citation: Citation) -> str:
    if len(citation.summary.conditions) == 1:
        return format_brackets(*map(to_one_line, citation.summary.conditions))
    by_count: dict[int, list[str]] = {}
    for name, condition in citation.summary.conditions.items():
        by_count.setdefault(condition.stimuli, []).append(to_one_line(name))
    counts = {count: format_count(count, "stimulus", "stimuli") for count in by_count}
    parts = [
        f"{join_words(names)} ({counts[count]}{' each' if len(names) > 1 else ''})"
        for count, names in by_count.items()
    ]
    return f": {'; '.join(parts)}" if parts else ""


def _describe_pictures(sources: Iterable[SourceRecord], what: str) -> str:
    named = [_describe_picture(source) for source in sources]
    return f"{format_count(len(named), what)}{': ' if named else ''}{join_words(named)}"


def _describe_picture(source: SourceRecord) -> str:
    told = (source.file, source.licence or "licence not stated", source.credit or "")
    return to_one_line(source.id) + format_brackets(*map(to_one_line, told))


def _describe_validation(citation: Citation) -> Iterator[str]:
    """Yield what records say, word for word, about tests of the networks with human observers."""
    networks: dict[str, dict[str, None]] = {}
    for (name, _), note in citation.summary.weights.items():
        networks.setdefault(to_one_line(note), {})[to_one_line(name)] = None
    notes = [f"\u201c{note}\u201d ({join_words(names)})" for note, names in networks.items()]
    if notes:
        yield f"on validation with human observers, the records state: {join_words(notes)}"


def _describe_software(citation: Citation) -> str:
    versions = citation.summary.versions
    devices = ["a CPU" if one == "cpu" else to_one_line(one) for one in sorted(citation.summary.devices)]
    software = [
        f"{to_one_line(name)} {' and '.join(map(to_one_line, sorted(versions[name])))}"
        for name in sorted(versions)
    ]
    where = join_words(devices) or "an unknown device"
    return f"images were computed on {where} with {join_words(software) or 'unknown software'}"


def _describe_hashes(citation: Citation) -> str:
    text = f"the SHA-256 hash over all images is {citation.summary.content_hash}"
    weights = [f"{sha256} ({to_one_line(name)})" for name, sha256 in citation.summary.weights if sha256]
    many = "those of the network weights are" if len(weights) > 1 else "that of the network weights is"
    return f"{text}; {many} {join_words(weights)}" if weights else text
