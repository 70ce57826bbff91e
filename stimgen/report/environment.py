"""Sets up templates whose text from strangers is escaped, and the policy of pages that load nothing."""

from __future__ import annotations

import base64
import hashlib

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from stimgen.reading.errors import make_printable
from stimgen.reading.text import to_one_line

LONGEST_PROTOCOL = 200_000


def make_environment(package: str) -> Environment:
    """Return the environment of the templates of a package, which escapes whatever it is given.

    What the package lacks, such as the head of all pages, is taken from this one.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("stimgen.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Text from strangers loses marks that change the direction of writing, and other hidden characters.
        finalize=lambda value: to_one_line(value) if type(value) is str else value,
    )
    environment.filters["verbatim"] = _escape_verbatim
    environment.filters["number"] = _format_number
    return environment


def read_template(environment: Environment, name: str) -> Markup:
    """Return the text of a template as it is: a style or a script of our own."""
    loader = environment.loader
    return Markup(loader.get_source(environment, name)[0] if loader else "")


def make_security_policy(script: str, style: str) -> Markup:
    """Return a policy that allows only this script and this style, and loads nothing from anywhere."""
    digests = (hashlib.sha256(text.encode()).digest() for text in (script, style))
    script_hash, style_hash = (f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return Markup(
        f"default-src 'none'; img-src data:; script-src {script_hash}; style-src {style_hash}; "
        "base-uri 'none'; form-action 'none'"
    )


def _format_number(number: float | None) -> str:
    return "" if number is None else f"{number:.3g}".replace("-", "\u2212")


def _escape_verbatim(text: object) -> Markup:
    """Escape text for the page, keeping its lines and spaces; other invisible characters are spelt out."""
    return escape(make_printable(str(text), limit=LONGEST_PROTOCOL))
