"""Defines what a user can say about data and their analysis, in a YAML file or on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from stimgen.analysis.columns import DERIVED_COLUMNS, TRIAL_COLUMNS
from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.reading.document import read_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Model, Number, Text, TextLine, validate, validation_error
from stimgen.sensitivity import CORRECTIONS, RULES, DecisionModel

FLAGS = {"columns": "column", "factors": "factor", "values": "value"}
"""Names of settings on the command line, where they differ."""
Observer = Literal["person", "simulated", "model"]


class AnalysisSettings(Model):
    """Says which columns data have, what the task was, and how it is analysed."""

    columns: dict[Text, TextLine] = Field(default_factory=dict)
    """Their name of a column, by ours: ``condition: model``. Ours is a standard column or a factor."""
    factors: tuple[Text, ...] = ()
    """Further columns that are independent variables, such as ``viewing``."""
    values: dict[Text, dict[Text, TextLine]] = Field(default_factory=dict)
    """What values of a column mean, by our name of the column: ``correct_response: {present: yes}``."""
    by: tuple[Text, ...] | None = None
    """Factors that tables are split by. [default: all]"""
    order: dict[Text, tuple[Text, ...]] = Field(default_factory=dict)
    """Values of a factor, in the order of tables and figures; also those that nobody saw."""
    observer: Observer | None = None
    """Keep only trials of this observer."""
    exclusions: ExclusionRules | None = None
    """Rules about which trials and participants do not count, as in an experiment. [default: the
    experiment's]"""
    task: Text | None = None
    """The task, for chance and d': a key of `stimgen.sensitivity.RULES`. [default: the experiment's]"""
    rule: Text = ""
    """Decision rule of the task. [default: the experiment's, or the task's first]"""
    alternatives: Annotated[Integer, Field(ge=0, le=1000)] = 0
    """Number of alternatives. [default: the experiment's, or the task's]"""
    dimensions: Annotated[Integer, Field(ge=1, le=100)] = 1
    """Number of dimensions of a sensation, for oddity."""
    chance: Annotated[Number, Field(ge=0.0, lt=1.0)] | None = None
    """Proportion correct of an observer who guesses. [default: the task's]"""
    correction: Text | None = None
    """Correction of proportions of 0 and 1 for d': log-linear, 1/(2N) or none. [default: 1/(2N) for
    proportions correct, log-linear for hits and false alarms]"""
    confidence: Annotated[Number, Field(gt=0.5, lt=1.0)] = 0.95
    """Confidence of intervals."""
    level: Text | None = None
    """The factor whose values are numbers that psychometric functions are fitted along, such as ``duration``;
    ``50 ms`` is 50, and ``scaling-0.5`` is 0.5. [default: the column level]"""
    levels: dict[Text, Number] = Field(default_factory=dict)
    """Number of each value of `level`, where they are not numbers: ``{scale1: 0.3, scale2: 0.5}``."""
    function: Literal["logistic", "normal", "weibull", "critical_scaling"] = "logistic"
    """The psychometric function; ``critical_scaling`` is for scalings of pooling regions."""
    level_scale: Literal["linear", "logarithmic"] | None = None
    """Whether ``logistic`` and ``normal`` functions are of the level or of its logarithm. [default: of the
    logarithm if the largest level is four times the smallest or more]"""
    response_time_unit: Literal["s", "ms"] | None = None
    """Unit of response times in a table. [default: s; a median longer than a minute is an error]"""
    synonyms: dict[Text, tuple[Text, ...]] = Field(default_factory=dict)
    """Answers of naming that count as one word in tables of confusions: ``{dog: [puppy, hound]}``."""
    resamples: Annotated[Integer, Field(ge=100, le=100_000)] = 2000
    """Number of bootstrap samples."""
    seed: Annotated[Integer, Field(ge=0)] = 1
    """Seed of the bootstrap."""

    @model_validator(mode="after")
    def _check_words(self) -> AnalysisSettings:
        for key, given, allowed in (
            ("task", self.task, list(RULES)),
            ("correction", self.correction, list(CORRECTIONS)),
        ):
            if given is not None and given not in allowed:
                raise validation_error(f"{given!r} is not understood", given=given, allowed=allowed, at=key)
        for name in self.factors:
            if name in TRIAL_COLUMNS and name not in ("condition", "oddball", "level"):
                raise validation_error(f"{name!r} is a standard column, and no factor", at="factors")
        for key, named in (("columns", self.columns), ("values", self.values)):
            self._check_columns(key, named)
        return self

    def _check_columns(self, key: str, names: Iterable[str]) -> None:
        known = [name for name in TRIAL_COLUMNS if name not in DERIVED_COLUMNS]
        for name in names:
            if name not in (*known, *self.factors):
                raise validation_error(
                    f"{name!r} is neither a standard column nor a factor",
                    given=name,
                    allowed=[*known, *self.factors],
                    at=key,
                    hint=f"an independent variable is named among the factors: --factor {name}=THEIRS",
                )

    @property
    def decision_model(self) -> DecisionModel | None:
        """Return the model that task, rule, alternatives and dimensions name; None without a task.

        Raises `StimgenError` if they do not go together.
        """
        if self.task is None:
            return None
        return DecisionModel(self.task, self.rule, self.alternatives, self.dimensions)

    @property
    def named_factors(self) -> tuple[str, ...]:
        """Return the factors that the user names, by our names."""
        return tuple(dict.fromkeys(self.factors))


def load_settings(file: Path | None, changes: dict[str, Any]) -> AnalysisSettings:
    """Return the settings of a file, with those of the command line in their place.

    Mappings and lists are joined: the command line's entries come last. Raises `StimgenError` with file and
    line if the file does not exist or is not valid.
    """
    settings = AnalysisSettings()
    if file is not None:
        document = read_document(file)
        if not isinstance(document.data, dict):
            raise StimgenError("settings must be a mapping of keys to values", where=document.where(()))
        settings = validate(AnalysisSettings, document.data, document)
    joined = {name: _join(getattr(settings, name), value) for name, value in changes.items()}
    from pydantic import ValidationError

    try:
        return settings.replace(**joined)
    except ValidationError as error:
        details = error.errors()[0]
        context = details.get("ctx", {})
        name = str(context.get("at") or (details["loc"] or ("",))[0])
        raise StimgenError(
            f"--{FLAGS.get(name, name).replace('_', '-')}: {context.get('message', details['msg'])}",
            given=context.get("given"),
            allowed=context.get("allowed", ()),
            hint=context.get("hint"),
        ) from None


def _join(before: Any, after: Any) -> Any:
    if isinstance(before, dict):
        return {**before, **after}
    if isinstance(before, tuple) and isinstance(after, tuple):
        return tuple(dict.fromkeys([*before, *after]))
    return after
