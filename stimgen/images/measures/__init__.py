"""Numbers that describe a picture, or compare it with its source; docs/quality.md lists them."""
