import pytest

from nntest.analyses.options import parse_options
from nntest.errors import DataError, UsageError

DECLARED = {
    "baseline": {"type": "pairs", "default": ""},
    "statistic": {"type": "text", "default": "median", "choices": ["median", "minimum"]},
    "xmax": {"type": "number", "default": ""},
    "count": {"type": "integer", "default": 3},
    "split": {"type": "switch", "default": "yes"},
    "libraries": {"type": "list", "default": ""},
}


def test_texts_become_typed_values() -> None:
    options = parse_options(
        DECLARED,
        {"baseline": "program:a, threads:1", "xmax": "2.5", "count": "7", "split": "no", "libraries": "x, y"},
        where="speedup",
    )
    assert options.baseline == {"program": "a", "threads": "1"}
    assert (options.xmax, options.count, options.split, options.libraries) == (2.5, 7, False, ("x", "y"))


def test_defaults_fill_the_rest() -> None:
    options = parse_options(DECLARED, {}, where="speedup")
    assert dict(options) == {
        "where": (), "include": (), "baseline": {}, "statistic": "median", "xmax": None, "count": 3, "split": True,
        "libraries": (),
    }  # fmt: skip


def test_dashes_and_underscores_are_alike_and_typed_values_pass() -> None:
    declared = {"group_by": {"type": "text", "default": ""}, "baseline": {"type": "pairs", "default": ""}}
    options = parse_options(declared, {"group-by": "library", "baseline": {"program": "a"}}, where="violin")
    assert (options.group_by, options.baseline) == ("library", {"program": "a"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"basline": "x"}, "speedup: there is no option 'basline'; did you mean baseline?"),
        ({"statistic": "mean"}, "speedup: statistic is 'mean'; expected one of median, minimum"),
        ({"xmax": "wide"}, "speedup: xmax is 'wide'; expected a number"),
        ({"count": "2.5"}, "speedup: count is '2.5'; expected a whole number"),
        ({"split": "maybe"}, "speedup: split is 'maybe'; expected yes or no"),
        (
            {"baseline": "conv-onednn-cpu"},
            "speedup: baseline is 'conv-onednn-cpu'; expected column:value, several separated by commas, "
            "such as program:conv-onednn-cpu,threads:1",
        ),
        (
            {"include": "everything"},
            "speedup: include is 'everything'; "
            "expected one of failed, wrong, unverified, emulated, simulated, profiled",
        ),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_options(DECLARED, given, where="speedup")
    assert str(caught.value) == message


def test_an_unknown_option_with_nothing_near_lists_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"^x: there is no option 'zzzz'; known: include, where$"):
        parse_options({}, {"zzzz": 1}, where="x")


def test_a_declaration_of_an_unknown_type_is_the_entrys_fault() -> None:
    with pytest.raises(DataError, match=r"^x: option a is declared as 'colour'; expected one of text, "):
        parse_options({"a": {"type": "colour"}}, {}, where="x")


def test_unknown_attributes_are_attribute_errors() -> None:
    with pytest.raises(AttributeError):
        parse_options({}, {}, where="x").absent  # noqa: B018


def test_a_default_that_was_asked_for_is_told_from_one_that_was_not() -> None:
    declared = {"group_by": {"type": "text", "default": "platform"}, "xmax": {"type": "number", "default": None}}
    options = parse_options(declared, {"group-by": "platform"}, where="violin")
    assert options == parse_options(declared, {}, where="violin")
    assert [options.was_given(name) for name in ("group_by", "xmax", "include")] == [True, False, False]
    assert options.mapped(str).was_given("group_by")
    assert options.mapped(str)["xmax"] == "None"
