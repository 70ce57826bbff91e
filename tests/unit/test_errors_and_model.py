"""What a user is told: what was wrong, where, what is allowed, the nearest match; and the types of YAML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from stimgen.reading.document import parse_document
from stimgen.reading.errors import CombinedError, Location, StimgenError, find_nearest, make_printable
from stimgen.reading.model import Flag, Integer, Model, Number, Text, validate, validation_error

FILE = Path("p.yaml")


class Inner(Model):
    count: Annotated[Integer, Field(ge=1, le=9)] = 1
    part: Annotated[Number, Field(ge=0.0)] = 0.0
    sure: Flag = False
    word: Annotated[Text, Field(max_length=200)] = ""
    kind: Literal["average", "maximum"] = "average"


class Outer(Model):
    name: Text
    inner: Inner = Inner()
    many: Annotated[tuple[Inner, ...], Field(min_length=1, max_length=3)] = (Inner(),)


def checked(text: str, model: type[Model] = Outer) -> Any:
    document = parse_document(text, FILE)
    return validate(model, document.data, document)


def message(text: str) -> str:
    with pytest.raises(StimgenError) as caught:
        checked(text)
    return str(caught.value)


class TestErrors:
    def test_a_whole_message(self) -> None:
        error = StimgenError(
            "unknown layer", where=Location(FILE, 7), given="rlu", allowed=["relu", "pool"], hint="look"
        )
        assert str(error) == "p.yaml:7: unknown layer\n  allowed: relu, pool\n  did you mean 'relu'?\n  look"
        assert error.exit_code == 2

    def test_a_bare_message(self) -> None:
        assert str(StimgenError("no")) == "no"
        assert str(StimgenError("no", where=FILE)) == "p.yaml: no"

    def test_no_nearest_match_for_another_word(self) -> None:
        assert "did you mean" not in str(StimgenError("x", given="zebra", allowed=["relu1_1", "pool1"]))
        assert find_nearest(None, ["a"]) is None
        assert find_nearest("a", []) is None

    def test_a_long_list_of_choices_is_cut(self) -> None:
        text = str(StimgenError("x", allowed=[f"w{i}" for i in range(1000)]))
        assert text.endswith("w59, ... (1000 in all)")

    def test_a_place_is_given_once(self) -> None:
        error = StimgenError("x").add_location(Location(FILE, 3))
        assert str(error.add_location(Path("other"))) == "p.yaml:3: x"

    @pytest.mark.parametrize("hostile", ["\x1b[31mred", "\x9b2J", "\x07", "\u202egnp", "\ud800", "\x00"])
    def test_control_characters_do_not_reach_the_terminal(self, hostile: str) -> None:
        error = StimgenError(
            f"says {hostile}", where=Path(hostile), given=hostile, allowed=[hostile + "x"], hint=hostile
        )
        assert all(line.isprintable() for line in str(error).split("\n"))
        assert hostile not in str(error)

    def test_long_messages_are_cut(self) -> None:
        assert len(make_printable("a" * 10_000)) < 700
        assert make_printable("two\nlines") == "two\nlines"

    def test_several_errors_are_shown_together(self) -> None:
        error = CombinedError([StimgenError("one", where=FILE), StimgenError("two")])
        assert str(error) == "p.yaml: one\ntwo"
        assert (error.message, str(error.where)) == ("one", "p.yaml")

    def test_many_errors_fit_on_a_screen(self) -> None:
        errors = [StimgenError(f"e{i}", hint="h") for i in range(100)]
        lines = str(CombinedError(errors)).split("\n")
        assert lines[:2] == ["e0", "  h"]
        assert lines[-1] == "... and 93 more"
        assert len(lines) <= CombinedError.most_lines + 1

    def test_one_long_error_is_shown_in_full(self) -> None:
        hint = "\n".join(str(i) for i in range(30))
        lines = str(CombinedError([StimgenError("long", hint=hint), StimgenError("x")])).split("\n")
        assert lines[30:] == ["29", "... and 1 more"]

    def test_equal_choices_are_listed_once(self) -> None:
        errors = [StimgenError(f"e{i}", given=f"w{i}", allowed=["w1", "w2"]) for i in (1, 2)]
        assert str(CombinedError(errors)).count("allowed") == 1
        assert str(CombinedError(errors)).count("did you mean") == 2


class TestTypes:
    @pytest.mark.parametrize(
        ("line", "told"),
        [
            ('count: "5"', "inner.count: should be a valid integer, not '5'"),
            ("count: true", "inner.count: should be a valid integer, not true"),
            ("count: 5.0", "inner.count: should be a valid integer, not 5.0"),
            ("count: 5.5", "inner.count: should be a valid integer, not 5.5"),
            ("count: ", "inner.count: should be a valid integer, not empty"),
            ("count: [5]", "inner.count: should be a valid integer, not a list of 1"),
            ("count: {a: 5}", "inner.count: should be a valid integer, not a mapping"),
            ("count: 0", "inner.count: should be greater than or equal to 1, not 0"),
            ("count: 10", "inner.count: should be less than or equal to 9, not 10"),
            ("count: " + "9" * 90, "inner.count: should be less than or equal to 9, not 999"),
            ('part: "5"', "inner.part: should be a valid number, not '5'"),
            ("part: true", "inner.part: should be a valid number, not true"),
            ("part: .nan", "inner.part: should be a finite number, not nan"),
            ("part: .inf", "inner.part: should be a finite number, not inf"),
            ("part: 1e999", "inner.part: should be a finite number, not inf"),
            ("part: -1e-3", "inner.part: should be greater than or equal to 0, not -0.001"),
            ("sure: 1", "inner.sure: should be a valid boolean, not 1"),
            ("sure: yes", "inner.sure: should be a valid boolean, not 'yes'"),
            ("word: 1.0", "inner.word: should be text, in quotes if need be, not 1.0"),
            ("word: true", "inner.word: should be text, in quotes if need be, not true"),
            ("word: " + "x" * 300, "inner.word: should have at most 200 characters, not 'xxx"),
        ],
    )
    def test_a_wrong_type_or_range(self, line: str, told: str) -> None:
        text = message(f"name: x\ninner:\n  kind: average\n  {line}\n")
        assert text.startswith(f"p.yaml:4: {told}")
        assert "\n" not in text
        assert len(text) < 150

    def test_a_whole_number_serves_as_a_number(self) -> None:
        part = checked("name: x\ninner: {part: 3}\n").inner.part
        assert (part, type(part)) == (3.0, float)

    def test_a_word_that_is_none_of_several(self) -> None:
        assert message("name: x\ninner:\n  kind: max\n") == (
            "p.yaml:3: inner.kind: 'max' is not understood\n"
            "  allowed: average, maximum\n"
            "  did you mean 'maximum'?"
        )

    def test_an_unknown_key_is_shown_at_its_own_line(self) -> None:
        assert message("name: x\ninner:\n  count: 1\n  cuont: 2\n") == (
            "p.yaml:4: inner: unknown key 'cuont'\n"
            "  allowed: count, part, sure, word, kind\n"
            "  did you mean 'count'?"
        )

    def test_an_unknown_key_at_the_top(self) -> None:
        assert message("nme: x\n").startswith("p.yaml:1: unknown key 'nme'\n  allowed: name, inner, many\n")

    def test_a_missing_key_is_shown_at_what_should_have_it(self) -> None:
        assert message("inner: {}\n") == "p.yaml:1: name: is missing"

    @pytest.mark.parametrize("given", ["5", "[]", "text", "~"])
    def test_not_a_mapping(self, given: str) -> None:
        assert message(f"name: x\ninner: {given}\n").startswith(
            "p.yaml:2: inner: should be a mapping of keys to values, not "
        )

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ("{}", "many: should be a list, not a mapping"),
            ("5", "many: should be a list, not 5"),
            ("[]", "many: should be a list of at least 1, not a list of 0"),
            ("[{}, {}, {}, {}]", "many: should be a list of at most 3, not a list of 4"),
            ("[{}, 3]", "many[1]: should be a mapping of keys to values, not 3"),
        ],
    )
    def test_not_such_a_list(self, given: str, told: str) -> None:
        assert message(f"name: x\nmany: {given}\n") == f"p.yaml:2: {told}"

    def test_a_list_with_mistakes_is_not_called_too_short(self) -> None:
        assert message("name: x\nmany:\n  - {}\n  - count: 0\n") == (
            "p.yaml:4: many[1].count: should be greater than or equal to 1, not 0"
        )

    def test_several_problems_are_shown_together_each_with_its_line(self) -> None:
        text = message("inner:\n  count: 0\n  kind: x\nmany:\n  - {}\n  - part: true\n")
        assert re.findall(r"^p\.yaml:(\d+): ([^:]+): ", text, re.MULTILINE) == [
            ("1", "name"),
            ("2", "inner.count"),
            ("3", "inner.kind"),
            ("6", "many[1].part"),
        ]

    def test_control_characters_in_a_key_are_neutralised(self) -> None:
        document = parse_document("name: x\n", FILE)
        with pytest.raises(StimgenError) as caught:
            validate(Outer, {"name": "x", "\x1b[2J\r": 1}, document)
        assert all(line.isprintable() for line in str(caught.value).split("\n"))


class TestModel:
    def test_is_frozen(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            Inner().count = 2

    def test_a_changed_copy_is_checked(self) -> None:
        assert Inner(count=2).replace(part=1.0) == Inner(count=2, part=1.0)
        with pytest.raises(ValidationError):
            Inner().replace(count=0)
        with pytest.raises(ValidationError, match="unknown key 'cuont'"):
            Inner().replace(cuont=1)

    def test_plain_is_what_json_can_say(self) -> None:
        assert Outer(name="x").to_dict()["many"] == [Inner().to_dict()]

    def test_a_validators_mistake_reaches_the_user_with_the_line_of_its_key(self) -> None:
        class Picky(Model):
            first: Integer
            second: Integer

            def model_post_init(self, _: Any) -> None:
                if self.second <= self.first:
                    raise validation_error(
                        "second must be larger", given="secnd", allowed=["second"], at="second"
                    )

        with pytest.raises(StimgenError) as caught:
            checked("first: 3\n\nsecond: 2\n", Picky)
        assert str(caught.value) == (
            "p.yaml:3: second must be larger\n  allowed: second\n  did you mean 'second'?"
        )
