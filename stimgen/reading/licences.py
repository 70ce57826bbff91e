"""Looks up licences by their SPDX identifiers."""

from __future__ import annotations

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression


def spdx_identifier(text: str | None) -> str | None:
    """Return the SPDX identifier of a licence, or None if it has none.

    Examples
    --------
    >>> [spdx_identifier(text) for text in ("cc-by-4.0", "ask the photographer", "MIT OR CC0-1.0")]
    ['CC-BY-4.0', None, None]
    """
    try:
        found = str(canonicalize_license_expression(text or ""))
    except InvalidLicenseExpression:
        return None
    return None if " " in found or found.startswith("LicenseRef-") else found


def licence_url(text: str | None) -> str | None:
    """Return the address of a licence's text, or None if SPDX does not list the licence."""
    identifier = spdx_identifier(text)
    return f"https://spdx.org/licenses/{identifier}.html" if identifier else None
