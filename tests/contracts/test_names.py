"""Names and first lines of docstrings follow docs/contributing.md, as far as a program can tell."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "stimgen").rglob("*.py"))


def words(text: str) -> set[str]:
    return set(text.split())


# Words that look like participles.
NO_PARTICIPLES = {
    "embed": "an imperative verb",
    "exceed": "an imperative verb",
    "feed": "an imperative verb",
    "need": "an imperative verb",
    "seed": "a noun, and an imperative verb",
    "speed": "a noun",
    "ceiling": "a noun",
    "padding": "a noun",
    "setting": "a noun",
    "string": "a noun",
    "timing": "a noun",
    "missing": "an adjective",
    "pending": "an adjective",
    "remaining": "an adjective",
    "trailing": "an adjective",
    "upcoming": "an adjective",
}
IRREGULAR = words(
    "begun broken brought bought built caught chosen dealt done drawn felt found given gone held hidden kept "
    "known laid left lent lost made meant met paid remade retold said seen sent shown sold spelt spent stood "
    "taken taught thrown told undone withdrawn written"
)
# After a participle, what is no noun: `planned_labels` are labels, but `loaded_from` is no thing.
NO_NOUNS = words("and as at away by for from in into of off on or out over part through to up with within")
# What an imperative sentence doesn't begin with.
NO_VERBS = words(
    "a an the "
    "about above across after against along among around as at before behind below beside between beyond by "
    "during for from in inside into like near of off on onto out outside over past per since through to "
    "toward towards under until up upon via with within without "
    "i it its he she we you they their this that these those each every all any both some several none "
    "nothing nobody one others "
    "if how what when where whether which who whom whose why yes no not"
)
# A class or module is described by a verb in the third person, or by a sentence with one of these.
FINITE_VERBS = words(
    "am are can cannot could did do does had has have is may might must shall should was were will would "
    "becomes begins belongs calls changes comes contains decides depends describes draws ends finds follows "
    "gets gives goes happens has holds keeps knows lies makes means measures names needs offers reads runs "
    "says shows stands takes tells uses works writes"
)


@cache
def list_definitions() -> list[tuple[str, ast.AST]]:
    """Return every module, class and function of the package, with where it stands."""
    return [
        (f"{module.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", node)
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    ]


def definitions(*kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Yield everything of these kinds in the package, with where it stands."""
    yield from ((place, node) for place, node in list_definitions() if isinstance(node, kinds))


def is_property(node: ast.AST) -> bool:
    names = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", [])]
    return any(re.fullmatch(r"property|cached_property|\w+\.setter", name) for name in names)


def is_participle(name: str) -> bool:
    """Return whether a name is a participle, and not a noun with one before it."""
    first, *rest = name.strip("_").lower().split("_")
    if first in NO_PARTICIPLES:
        return False
    if first.endswith("ing"):
        return True
    return (first in IRREGULAR or first.endswith("ed")) and not (rest and rest[0] not in NO_NOUNS)


def first_line_problem(node: ast.AST, line: str) -> str | None:
    """Return what keeps a first line from being a sentence; None where nothing does."""
    words = re.findall(r"[\w'-]+", line)
    if not line.endswith((".", "?")):
        return "does not end with a full stop on its first line"
    if not line[0].isupper():
        return "does not start with a capital"
    if len(words) < 3:
        return "has fewer than three words"
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return f"is no imperative: begins with {words[0]!r}" if words[0].lower() in NO_VERBS else None
    is_verb = words[0].endswith("s") and not words[0].endswith("ss")
    return None if is_verb or FINITE_VERBS & {word.lower() for word in words} else "has no verb"


def class_name_problems() -> list[str]:
    places = defaultdict(list)
    for place, node in definitions(ast.ClassDef):
        assert isinstance(node, ast.ClassDef)
        places[node.name].append(place)
    return [f"{place}: {name} is defined twice" for name, at in places.items() if len(at) > 1 for place in at]


def function_name_problems() -> list[str]:
    found = []
    for place, node in definitions(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if is_participle(node.name) and not is_property(node):
            found.append(f"{place}: {node.name} is a participle")
    return found


def first_line_problems() -> list[str]:
    found = []
    for place, node in definitions(ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        line = (ast.get_docstring(node) or "").split("\n")[0]
        problem = first_line_problem(node, line) if line else None
        if problem is not None:
            found.append(f"{place}: {getattr(node, 'name', 'module')}: {line!r} {problem}")
    return found


def test_no_class_name_is_defined_twice() -> None:
    assert class_name_problems() == []


def test_no_function_is_named_by_a_participle() -> None:
    assert function_name_problems() == []


def test_first_lines_of_docstrings_are_sentences() -> None:
    assert first_line_problems() == []


def test_the_glossary_names_what_the_code_has() -> None:
    page = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \| .+ \| (.+) \|$", page.partition("## Glossary")[2], flags=re.MULTILINE)
    classes = {node.name for _, node in definitions(ast.ClassDef) if isinstance(node, ast.ClassDef)}
    named = [(term, name) for term, places in rows for name in re.findall(r"`([\w./]+)`", places)]
    assert len(rows) > 60
    for term, name in named:
        known = (ROOT / "stimgen" / name).exists() if "/" in name else name.partition(".")[0] in classes
        assert known or name == "range", f"{term}: there is no {name}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("opened", True),
        ("_loaded_from", True),
        ("shown", True),
        ("making_batches", True),
        ("seed_of", False),
        ("open_executor", False),
        ("planned_labels", False),
    ],
)
def test_participles_are_told_from_verbs(name: str, expected: bool) -> None:
    assert is_participle(name) is expected


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ('def f():\n    """Return the mean of every map."""', None),
        ('def f():\n    """Whether it is so."""', "imperative"),
        ('def f():\n    """Return the mean of every map\n    and region."""', "full stop"),
        ('class C:\n    """A frozen set of stimuli."""', "verb"),
        ('class C:\n    """Represents a frozen set of stimuli."""', None),
        ('class C:\n    """Which one?"""', "three words"),
    ],
)
def test_sentences_are_told_from_phrases(code: str, problem: str | None) -> None:
    node = ast.parse(code).body[0]
    assert isinstance(node, (ast.FunctionDef, ast.ClassDef))
    found = first_line_problem(node, (ast.get_docstring(node) or "").split("\n")[0])
    assert found is None if problem is None else problem in (found or "")
