"""Reads the docstrings below the fields of a model from its source code."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise


def find_field_doc(cls: type, name: str) -> str | None:
    """Return the docstring below the field `name`, in the class that annotates it last; None without one."""
    for base in cls.__mro__:
        if name in base.__dict__.get("__annotations__", {}):
            return _read_field_docs(base).get(name)
    return None


@cache
def _read_field_docs(cls: type) -> dict[str, str]:
    body = _read_classes(cls.__module__).get(cls.__qualname__.replace("<locals>.", ""), [])
    docs = {}
    for field, below in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match below:
                case ast.Expr(ast.Constant(str() as text)):
                    docs[field.target.id] = inspect.cleandoc(text)
    return docs


@cache
def _read_classes(module: str) -> dict[str, list[ast.stmt]]:
    """Return the bodies of a module's classes by their qualified names; none if there is no source code."""
    try:
        source = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return {}
    return dict(_list_classes(ast.parse(source), ""))


def _list_classes(node: ast.AST, prefix: str) -> Iterator[tuple[str, list[ast.stmt]]]:
    for child in ast.iter_child_nodes(node):
        inner = prefix
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            inner = f"{prefix}{child.name}."
        if isinstance(child, ast.ClassDef):
            yield inner[:-1], child.body
        yield from _list_classes(child, inner)
