"""The JSON schemas of stimulus protocols and experiments, for editors."""

from __future__ import annotations

import json

from stimgen.reading.model import Model


def format_protocol_schema() -> str:
    """Return the JSON schema (draft 2020-12) of a stimulus protocol."""
    from stimgen.protocol.schema import Protocol

    return _format_schema(Protocol, "stimgen schema")


def format_experiment_schema() -> str:
    """Return the JSON schema (draft 2020-12) of an experiment; torch is not needed for it."""
    from stimgen.experiment.schema.schema import Experiment

    return _format_schema(Experiment, "stimgen schema --experiment")


def _format_schema(model: type[Model], command: str) -> str:
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"Written by `{command}`.",
        **model.model_json_schema(mode="validation"),
    }
    return json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
