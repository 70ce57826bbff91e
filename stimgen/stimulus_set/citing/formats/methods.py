"""A paragraph for a paper's methods, with the list of its references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stimgen.reading.text import one_line
from stimgen.stimulus_set.citing.citation import Citation
from stimgen.stimulus_set.citing.formats.apa import entry
from stimgen.stimulus_set.citing.making import Making
from stimgen.stimulus_set.citing.references import References
from stimgen.stimulus_set.citing.wording import bracketed, counted, listed, sentence
from stimgen.stimulus_set.record import SourceRecord


def render(citation: Citation) -> str:
    """Return the paragraph and its references."""
    references = References(citation.papers)
    paragraph = " ".join(sentence(text) for text in _sentences(citation, references))
    return "\n".join([paragraph, "", "References", entry(citation), *references.lines()]) + "\n"


def _sentences(citation: Citation, references: References) -> Iterator[str]:
    summary, papers = citation.summary, citation.metadata.papers
    yield _overview(citation)
    if papers:
        yield f"it follows {references.in_text(papers)}"
    yield f"its stimuli were made from {_pictures(summary.sources.values())}"
    if summary.references:
        yield f"targets were also measured in {_pictures(summary.references.values())}"
    yield from _making(citation, references)
    if summary.changes:
        yield f"for a quick trial the protocol was changed: {listed(map(one_line, summary.changes))}"
    yield from _validation(citation)
    yield _software(citation)


def _overview(citation: Citation) -> str:
    summary = citation.summary
    version = bracketed(f"version {citation.version}" if citation.version else "")
    stimuli = counted(summary.stimuli, "stimulus", "stimuli")
    counts = f"{stimuli} of {counted(len(summary.conditions), 'condition')}"
    lacking = f", {citation.incomplete}" if citation.incomplete else ""
    digest = f"the SHA-256 over its pictures is {summary.content_hash}"
    return f"the stimulus set \u201c{citation.title}\u201d{version}{lacking} has {counts}; {digest}"


def _pictures(sources: Iterable[SourceRecord]) -> str:
    named = [_picture(source) for source in sources]
    return f"{counted(len(named), 'picture')}: {listed(named)}"


def _picture(source: SourceRecord) -> str:
    told = (source.file, source.licence or "licence not stated", source.credit or "")
    return one_line(source.id) + bracketed(*map(one_line, told))


def _making(citation: Citation, references: References) -> Iterator[str]:
    """Yield how stimuli were made: what is the same in all conditions first, then the rest of each."""
    conditions = citation.summary.conditions
    making = Making(citation.metadata, references)
    told = {name: list(making.sentences(condition)) for name, condition in conditions.items()}
    shared = [text for text in next(iter(told.values()), []) if all(text in texts for texts in told.values())]
    yield from shared
    for name, condition in conditions.items():
        own = [text for text in told[name] if text not in shared]
        count = counted(condition.stimuli, "stimulus", "stimuli")
        yield f"condition {one_line(name)} ({count}): {'; '.join(own) or 'nothing else'}"


def _validation(citation: Citation) -> Iterator[str]:
    notes = {name: one_line(note) for (name, _), note in citation.summary.weights.items()}
    if notes:
        yield "validation: " + "; ".join(f"{one_line(name)}, {note}" for name, note in notes.items())


def _software(citation: Citation) -> str:
    versions, devices = citation.summary.versions, sorted(citation.summary.devices)
    found = [
        f"{one_line(name)} {' and '.join(map(one_line, sorted(versions[name])))}" for name in sorted(versions)
    ]
    where = listed(map(one_line, devices)) or "an unknown device"
    return f"all was computed on {where} with {listed(found) or 'unknown software'}"
