"""Checks how answers are given to streams of pictures."""

from __future__ import annotations

from stimgen.experiment.schema.timing import ResponseSettings
from stimgen.reading.model import validation_error


def check_stream_responses(responses: ResponseSettings) -> None:
    """Raise a validation error unless presses can be taken during a whole stream."""
    if responses.window is None:
        raise validation_error(
            "a stream needs responses.window: how long presses count after its last picture",
            at="responses",
            hint="write responses: {window: 1000 ms}",
        )
    unfit = {
        "device: mouse": responses.device == "mouse",
        "ends_stimulus: true": responses.ends_stimulus,
        "swap: true": responses.swap,
    }
    for text, is_given in unfit.items():
        if is_given:
            raise validation_error(
                f"responses.{text} is not possible with a stream of pictures", at="responses"
            )
