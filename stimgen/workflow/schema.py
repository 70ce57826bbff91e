"""The JSON schemas of stimulus protocols and experiments, for editors."""

from __future__ import annotations

import json

from stimgen.reading.model import Model


def schema_text() -> str:
    """Return the JSON schema (draft 2020-12) of a stimulus protocol."""
    from stimgen.protocol.schema import Protocol

    return _text(Protocol, "stimgen schema")


def experiment_schema_text() -> str:
    """Return the JSON schema (draft 2020-12) of an experiment; torch is not needed for it."""
    from stimgen.experiment.schema.schema import Experiment

    return _text(Experiment, "stimgen schema --experiment")


def _text(model: type[Model], command: str) -> str:
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"Written by `{command}`.",
        **model.model_json_schema(mode="validation"),
    }
    return json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
