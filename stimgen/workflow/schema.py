"""The JSON schema of stimulus protocols, for editors."""

from __future__ import annotations

import json

from stimgen.protocol.schema import Protocol


def schema_text() -> str:
    """Return the JSON schema (draft 2020-12) of a stimulus protocol."""
    schema = Protocol.model_json_schema(mode="validation")
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Written by `stimgen schema`.",
        **schema,
    }
    return json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
