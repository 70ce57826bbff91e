"""Defines the arguments and options that several commands share."""

from __future__ import annotations

from typing import Any

import typer


def argument(metavar: str, text: str, default: Any = ...) -> Any:
    """Return an argument, which is required unless it has a default."""
    return typer.Argument(default, metavar=metavar, help=text)


def option(names: str, metavar: str, text: str, default: Any = None, **limits: Any) -> Any:
    """Return an option with a value; `names` lists its names, separated by commas."""
    return typer.Option(default, *names.split(", "), metavar=metavar, help=text, **limits)


def flag(names: str, text: str) -> Any:
    """Return an option without a value."""
    return typer.Option(False, *names.split(", "), help=text)


PROTOCOL = argument("PROTOCOL", "A YAML file, or the name of a shipped protocol.")
FOLDER = argument("FOLDER", "The stimulus set's folder.")
EXPERIMENT = argument("EXPERIMENT", "A YAML file, or the name of a shipped experiment.")
DATA = argument("DATA", "The folder that `stimgen run` wrote to.")

DEVICE = option("--device", "DEVICE", "auto, cpu, cuda, cuda:N or mps.", "auto")
ROOT = option("--root", "FOLDER", "Also allow source pictures from this folder.")
NETWORK = option("--network", "NETWORK", "Use this network, such as vgg16, in place of trained ones.")
TRUST = option("--trust", "FILE", "Run this Python file, which a protocol names; repeatable.")
WEIGHTS = option("--weights", "WEIGHTS", "Use these weights: imagenet, random, or a file.")
QUICK = flag("--quick", "Use a small version of the protocol that takes a minute or two.")
QUIET = flag("-q, --quiet", "Print only errors.")
JSON = flag("--json", "Print JSON instead of text.")
LABEL = "The participant's label: letters and digits, for example 01."
SESSION = option("--session", "LABEL", "The session's label: letters and digits.", "1")
STIMULI = option("--stimuli", "FOLDER", "Use this set instead of the experiment's own; repeatable.")
WINDOWED = flag("--windowed", "Show a window instead of the full screen, for trying out.")
SEPARATOR = option("--separator", "MARK", "Between cells of CSV files: comma, semicolon or tab.", "comma")
DECIMAL = option("--decimal", "MARK", "Decimal mark in CSV files: point or comma.", "point")
NO_MARK = flag("--no-bom", "Write CSV files without a byte-order mark.")
