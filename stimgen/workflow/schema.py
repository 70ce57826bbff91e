"""Formats the JSON schemas of protocols and experiments."""

from __future__ import annotations

import json

from stimgen.reading.model import Model


def format_protocol_schema() -> str:
    """Return the JSON schema (draft 2020-12) of protocols."""
    from stimgen.protocol.schema import Protocol

    return _format_schema(Protocol, "stimgen schema")


def format_experiment_schema() -> str:
    """Return the JSON schema (draft 2020-12) of experiments; works without torch."""
    from stimgen.experiment.schema.schema import Experiment

    return _format_schema(Experiment, "stimgen schema --experiment")


def _format_schema(model: type[Model], command: str) -> str:
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"Written by `{command}`.",
        **model.model_json_schema(mode="validation"),
    }
    return json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
