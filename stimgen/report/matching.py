"""Formats the page of matched pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from PIL import Image

from stimgen.images.matching.report import MatchingReport
from stimgen.images.prepare import Pixels
from stimgen.images.write import as_image, quantise
from stimgen.report.environment import make_environment, make_security_policy, read_template

SIDE = 128
MOST_PICTURES = 200


@dataclass(frozen=True)
class MatchingPage:
    """Holds what the page shows."""

    title: str
    report: MatchingReport
    figures: Sequence[tuple[str, str, bytes]]
    """Title, caption and SVG of every figure."""
    pairs: Mapping[str, bytes]
    """PNG of every picture before and after, side by side, by name."""
    papers: Sequence[str]
    """References in a line each."""


def format_matching_page(page: MatchingPage) -> bytes:
    """Return the page as UTF-8 text; whatever comes from files is escaped."""
    environment = make_environment("stimgen.report")
    style = read_template(environment, "style.css")
    return (
        environment.get_template("matching.html")
        .render(
            style=style,
            policy=make_security_policy("", style),
            title=page.title,
            report=page.report,
            settings=[(key, str(value)) for key, value in page.report.settings.to_dict().items()],
            figures=[(title, caption, _embed(data, "svg+xml")) for title, caption, data in page.figures],
            pairs=[(name, _embed(data, "png")) for name, data in page.pairs.items()],
            papers=page.papers,
        )
        .encode("utf-8")
    )


def draw_pair(before: Pixels, after: Pixels) -> bytes:
    """Return a small PNG of a picture before and after, side by side."""
    small = []
    for pixels in (before, after):
        image = as_image(quantise(pixels)).convert("RGB")
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        small.append(np.asarray(image))
    gap = np.full((small[0].shape[0], 4, 3), 255, dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate([small[0], gap, small[1]], axis=1)).save(buffer, format="PNG")
    return buffer.getvalue()


def _embed(data: bytes, kind: str) -> Markup:
    return Markup(f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}")
