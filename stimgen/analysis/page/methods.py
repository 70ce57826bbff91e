"""Writes the methods paragraph of an analysis, with the papers that it cites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stimgen.analysis.page.counts import count_kinds
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable
from stimgen.reading.papers import load_papers
from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.citing.references import References
from stimgen.stimulus_set.citing.wording import format_count, format_sentence, join_words

if TYPE_CHECKING:
    import pandas as pd

TASK_PAPERS = {
    "oddity": ("craven1992",),
    "forced_choice": ("hacker1979",),
    "two_afc": ("hacker1979",),
    "abx": ("hautus2002",),
    "same_different": ("dai1996",),
}
"""Papers about d' of a task."""
OTHER_PAPERS = frozenset(
    {
        "cameron2011",
        "fleming2014",
        "freeman2011",
        "hautus1995",
        "levitt1971",
        "maloney2003",
        "moscatelli2012",
        "owen2007",
        "schuirmann1987",
        "wichmann2001",
        "wilson1927",
        "zou2008",
    }
)
"""The other papers that a paragraph can cite."""
BOOTSTRAP = "bootstrap over "
CORRECTIONS = {
    "1/(2N)": "proportions of 0 and 1 were taken as 1/(2N) and 1 - 1/(2N), where N is the number of trials{}",
    "log-linear": "0.5 was added to the numbers of hits and false alarms, and 1 to those of trials{}",
    "none": "proportions of 0 and 1 were not corrected{}",
}


@dataclass
class MethodsText:
    """Holds what a paragraph is about, its sentences, and the papers that they cite."""

    table: TrialTable
    settings: AnalysisSettings
    tables: Mapping[str, pd.DataFrame]
    sentences: list[str] = field(default_factory=list)
    papers: list[str] = field(default_factory=list)
    """Keys, in the order of citation."""

    def cite(self, *keys: str) -> str:
        """Return papers in brackets, with a space before, and remember them."""
        self.papers += [key for key in keys if key not in self.papers]
        known = load_papers()
        return (
            f" ({References(known[key] for key in keys).in_text([known[key] for key in keys])})"
            if keys
            else ""
        )

    def paragraph(self) -> str:
        """Return the sentences as one text."""
        return " ".join(map(format_sentence, self.sentences))

    def references(self) -> list[str]:
        """Return the list of references."""
        return References(load_papers()[key] for key in self.papers).lines()


def write_methods(
    table: TrialTable,
    settings: AnalysisSettings,
    tables: Mapping[str, pd.DataFrame],
    versions: Mapping[str, str],
) -> MethodsText:
    """Return the paragraph about what was computed.

    Parameters
    ----------
    table : TrialTable
        The trials.
    settings : AnalysisSettings
        What the user said.
    tables : mapping of DataFrame
        Tables of results; only what they hold is described.
    versions : mapping of str
        Versions of software.
    """
    text = MethodsText(table, settings, tables)
    text.sentences += _describe_trials(table)
    for describe in (
        _describe_accuracy,
        _describe_dprime,
        _describe_models,
        _describe_thresholds,
        _describe_rest,
    ):
        text.sentences += describe(text)
    names = [f"{to_one_line(name)} {to_one_line(version)}" for name, version in versions.items() if version]
    text.sentences.append(f"results were computed with {join_words(names)}")
    return text


def _describe_trials(table: TrialTable) -> Iterator[str]:
    counts = count_kinds(table)
    people = table.frame["participant"].nunique()
    kinds = sorted(set(table.frame["observer"]))
    who = "participant" if kinds == ["person"] or not kinds else f"{' and '.join(kinds)} observer"
    sources = sum(1 for name in table.frame["source"].unique() if name)
    stimuli = f", with stimuli of {format_count(sources, 'source image')}" if sources else ""
    yield f"{format_count(people, who)} gave answers in {format_count(len(table.frame), 'trial')}{stimuli}"
    left = [f"{one.kind} ({one.trials:,})" for one in counts if one.kind != "counted"]
    if left:
        yield f"these trials were left out: {join_words(map(to_one_line, left))}"
    yield from list_exclusion_rules(table)
    if table.factors:
        named = join_words(to_one_line(name.replace("_", " ")) for name in table.factors)
        many = "s were" if len(table.factors) > 1 else " was"
        yield f"the independent variable{many} {named}"


def list_exclusion_rules(table: TrialTable) -> list[str]:
    """Return a sentence for each exclusion rule that was stated."""
    return list(dict.fromkeys(sentence for _, rules in table.rules for sentence in rules.describe()))


def _describe_accuracy(text: MethodsText) -> Iterator[str]:
    found = text.tables.get("accuracy")
    if found is None or not found["trials"].sum():
        return
    percent = f"{100 * text.settings.confidence:g} %"
    chance = "" if text.table.chance is None else f" (chance: {text.table.chance:.3g})"
    yield (
        f"proportions correct{chance} of single cells have {percent} score intervals{text.cite('wilson1927')}"
    )
    if found["interval"].str.startswith(BOOTSTRAP).any():
        drawn = [one.removeprefix(BOOTSTRAP) for one in found["interval"] if one.startswith(BOOTSTRAP)]
        kinds = BOOTSTRAP + ", or over ".join(dict.fromkeys(drawn))
        crossed = text.cite("owen2007", "cameron2011") if " and " in kinds else ""
        yield (
            f"intervals of means over participants come from a {kinds} ({text.settings.resamples:,} samples, "
            f"seed {text.settings.seed}), scaled to the variance of the mean{crossed} and to Student's t"
        )


def _describe_dprime(text: MethodsText) -> Iterator[str]:
    found = text.tables.get("dprime")
    if found is None or text.table.model is None or not len(found):
        return
    papers = text.cite(*TASK_PAPERS.get(text.table.model.task, ()))
    yield f"sensitivity, d', of each participant is that of the model: {text.table.model.text}{papers}"
    correction = str(found["correction"].iloc[0])
    if correction in CORRECTIONS:
        yield CORRECTIONS[correction].format(text.cite("hautus1995") if correction != "none" else "")
    both = text.cite("zou2008") if text.table.model.has_rates else ""
    how = f"combine those of both rates{both}" if both else "are those of proportions, through the model"
    yield f"intervals of d' {how}"


def _describe_models(text: MethodsText) -> Iterator[str]:
    if "contrasts" in text.tables or "equivalence" in text.tables:
        yield (
            "differences that the data exclude are limits of two one-sided tests, each at a confidence of "
            f"{100 * text.settings.confidence:g} %{text.cite('schuirmann1987')}"
        )
    if "mixed_model" in text.tables:
        guess = f"{text.table.chance:.3g}" if text.table.chance else "0"
        yield (
            f"a generalised linear mixed model{text.cite('moscatelli2012')} of correct answers had a "
            f"logistic link above the guess rate ({guess}), means of cells as fixed effects, and crossed "
            "random effects of participants and sources, also within conditions; their standard deviations "
            "maximise Laplace's approximation of the marginal likelihood, and intervals and tests are Wald's"
        )


def _describe_thresholds(text: MethodsText) -> Iterator[str]:
    if "thresholds" in text.tables:
        name = text.settings.function.replace("_", " ")
        paper = text.cite("freeman2011") if text.settings.function == "critical_scaling" else ""
        yield (
            f"psychometric functions ({name}{paper}) with the guess rate of the task and a lapse rate of at "
            f"most .06 were fitted by maximum likelihood{text.cite('wichmann2001')}; intervals are those of "
            "the profile likelihood, and the goodness of fit was tested by simulation"
        )
    if "tracks" in text.tables:
        yield f"thresholds of adaptive tracks are also means of reversals{text.cite('levitt1971')}"
    if "difference_scale" in text.tables:
        yield f"perceptual scales were fitted by maximum likelihood{text.cite('maloney2003')}"


def _describe_rest(text: MethodsText) -> Iterator[str]:
    if "response_times" in text.tables:
        yield "response times were measured from the onset of the first picture of a trial"
    if "confidence" in text.tables:
        paper = text.cite("fleming2014")
        yield f"confidence was related to correct answers by the area under the type-2 ROC{paper}"
