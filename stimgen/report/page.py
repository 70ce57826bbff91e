"""Writes the page piece by piece, so that only one source's stimuli are in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from jinja2 import Environment

from stimgen.images.measures.appearance import LABELS
from stimgen.report import overview
from stimgen.report.details import stimulus_details
from stimgen.report.environment import make_environment, make_security_policy, read_template
from stimgen.report.pictures import EmbeddedPicture, PictureEmbedder
from stimgen.report.rules import RULES
from stimgen.report.survey import ListedStimulus, RecordSurvey
from stimgen.stimulus_set.citing import Citation
from stimgen.stimulus_set.confounds import compute_confounds
from stimgen.stimulus_set.record import SourceRecord
from stimgen.stimulus_set.store import Store

MAX_STIMULI = 5000
"""Largest number of stimuli that a page shows by default."""


def write_page(store: Store, stream: BinaryIO, most: int = MAX_STIMULI) -> None:
    """Write the page of a set to a binary stream.

    At most `most` stimuli are shown and measured for differences between conditions; the warnings are about
    all of them.

    Raises `StimgenError` if nothing is finished, a record is damaged, or a file does not match its record.
    """
    environment = make_environment("stimgen.report")
    page = environment.get_template("page.html")
    for piece in page.generate(_PageBuilder(store, most).context(environment)):
        stream.write(piece.encode("utf-8"))


class _PageBuilder:
    def __init__(self, store: Store, most: int) -> None:
        self._store, self._plan = store, store.read_plan()
        self._survey = survey = RecordSurvey.read(store)
        self._shown = survey.choose(most)
        files = {file for one in self._shown for file in (one.file, one.original)}
        self._pictures = PictureEmbedder(store, [survey.files[file] for file in files])
        self._sources = {name: i for i, name in enumerate(survey.summary.sources)}
        self._conditions = {name: i for i, name in enumerate(survey.summary.conditions)}

    def context(self, environment: Environment) -> dict[str, Any]:
        """Return the variables of the template."""
        citation, survey = Citation.from_plan(self._plan, self._survey.summary), self._survey
        script, style = (read_template(environment, name) for name in ("script.js", "style.css"))
        return {
            "script": script,
            "style": style,
            "policy": make_security_policy(script, style),
            "title": citation.title,
            "citation": citation,
            "facts": overview.set_facts(citation, survey),
            "warnings": list(overview.find_warnings(citation, survey, self._shown)),
            "measures": LABELS,
            "confounds": compute_confounds(self._store, [one.id for one in self._shown]),
            "conditions": [overview.condition_row(*each) for each in survey.summary.conditions.items()],
            "metamers": [row for name, one in survey.metamers.items() for row in one.list_rows(name)],
            "pairs": max((one.pairs for one in survey.metamers.values()), default=0),
            "methods": overview.methods_paragraph(citation),
            "choices": self._choices(),
            "total": survey.summary.stimuli,
            "count": len(self._shown),
            "side": self._pictures.side,
            "sections": self._sections(),
            "protocol": self._plan.protocol.get("text"),
            "protocol_sha256": self._plan.protocol.get("sha256"),
        }

    def _choices(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """Return the filters for stimuli: key, name, and values with their names."""
        sources = {one.source for one in self._shown}
        seeds = sorted({one.seed for one in self._shown})
        warned = [(key, rule.title) for key, rule in RULES.items() if self._survey.count_warned(key)]
        found = [
            ("source", "Source", [(str(i), name) for name, i in self._sources.items() if name in sources]),
            ("condition", "Condition", [(str(i), name) for name, i in self._conditions.items()]),
            ("seed", "Seed", [(str(seed), str(seed)) for seed in seeds]),
            ("warning", "Warning", warned),
        ]
        return [choice for choice in found if choice[2]]

    def _sections(self) -> Iterator[tuple[SourceRecord, EmbeddedPicture, Iterator[dict[str, Any]]]]:
        by_original: dict[str, list[ListedStimulus]] = {}
        for one in self._shown:
            by_original.setdefault(one.original, []).append(one)
        for listed in by_original.values():
            source = self._store.read_record(listed[0].id).content.source
            yield source, self._pictures.embed(source.original), self._stimuli(listed)

    def _stimuli(self, listed: list[ListedStimulus]) -> Iterator[dict[str, Any]]:
        for one in listed:
            record = self._store.read_record(one.id)
            yield {
                "id": one.id,
                "content": record.content,
                "picture": self._pictures.embed(record.content.files[0]),
                "source": self._sources[record.content.source.id],
                "condition": self._conditions[one.condition],
                "warnings": one.warnings,
                "titles": [RULES[key].title for key in one.warnings],
                "details": stimulus_details(self._store, self._pictures, one, record),
            }
