"""Contains one module for each command; only this layer knows all the steps."""
