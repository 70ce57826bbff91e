"""A paragraph for a paper's methods, with the list of its references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.citing.citation import Citation
from stimgen.stimulus_set.citing.formats.apa import format_set_entry
from stimgen.stimulus_set.citing.making import MethodsWriter
from stimgen.stimulus_set.citing.references import References
from stimgen.stimulus_set.citing.wording import format_brackets, format_count, format_sentence, join_words
from stimgen.stimulus_set.record import SourceRecord


def render(citation: Citation) -> str:
    """Return the paragraph and its references."""
    references = References(citation.papers)
    paragraph = " ".join(format_sentence(text) for text in _sentences(citation, references))
    return "\n".join([paragraph, "", "References", format_set_entry(citation), *references.lines()]) + "\n"


def _sentences(citation: Citation, references: References) -> Iterator[str]:
    summary, papers = citation.summary, citation.metadata.papers
    yield _describe_set(citation)
    if papers:
        yield f"it follows {references.in_text(papers)}"
    yield f"its stimuli were made from {_describe_pictures(summary.sources.values())}"
    if summary.references:
        yield f"targets were also measured in {_describe_pictures(summary.references.values())}"
    yield from _describe_conditions(citation, references)
    if summary.changes:
        yield f"for a quick trial the protocol was changed: {join_words(map(to_one_line, summary.changes))}"
    yield from _describe_validation(citation)
    yield _describe_software(citation)


def _describe_set(citation: Citation) -> str:
    summary = citation.summary
    version = format_brackets(f"version {citation.version}" if citation.version else "")
    stimuli = format_count(summary.stimuli, "stimulus", "stimuli")
    counts = f"{stimuli} of {format_count(len(summary.conditions), 'condition')}"
    lacking = f", {citation.incomplete}" if citation.incomplete else ""
    digest = f"the SHA-256 over its pictures is {summary.content_hash}"
    return f"the stimulus set \u201c{citation.title}\u201d{version}{lacking} has {counts}; {digest}"


def _describe_pictures(sources: Iterable[SourceRecord]) -> str:
    named = [_describe_picture(source) for source in sources]
    return f"{format_count(len(named), 'picture')}: {join_words(named)}"


def _describe_picture(source: SourceRecord) -> str:
    told = (source.file, source.licence or "licence not stated", source.credit or "")
    return to_one_line(source.id) + format_brackets(*map(to_one_line, told))


def _describe_conditions(citation: Citation, references: References) -> Iterator[str]:
    """Yield how stimuli were made: what is the same in all conditions first, then the rest of each."""
    conditions = citation.summary.conditions
    making = MethodsWriter(citation.metadata, references)
    told = {name: list(making.sentences(condition)) for name, condition in conditions.items()}
    shared = [text for text in next(iter(told.values()), []) if all(text in texts for texts in told.values())]
    yield from shared
    for name, condition in conditions.items():
        own = [text for text in told[name] if text not in shared]
        count = format_count(condition.stimuli, "stimulus", "stimuli")
        yield f"condition {to_one_line(name)} ({count}): {'; '.join(own) or 'nothing else'}"


def _describe_validation(citation: Citation) -> Iterator[str]:
    notes = {name: to_one_line(note) for (name, _), note in citation.summary.weights.items()}
    if notes:
        yield "validation: " + "; ".join(f"{to_one_line(name)}, {note}" for name, note in notes.items())


def _describe_software(citation: Citation) -> str:
    versions, devices = citation.summary.versions, sorted(citation.summary.devices)
    found = [
        f"{to_one_line(name)} {' and '.join(map(to_one_line, sorted(versions[name])))}"
        for name in sorted(versions)
    ]
    where = join_words(map(to_one_line, devices)) or "an unknown device"
    return f"all was computed on {where} with {join_words(found) or 'unknown software'}"
