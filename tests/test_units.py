import pytest

from nntest.units import format_duration, format_ratio, printable, printable_line


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1e-9, "1.00 ns"),
        (12.34e-6, "12.3 us"),
        (1e-4, "100 us"),
        (99.96e-6, "100 us"),
        (999.7e-6, "1.00 ms"),
        (4.564e-3, "4.56 ms"),
        (9.996, "10.0 s"),
        (59.97, "1 min 00 s"),
        (65.2, "1 min 05 s"),
    ],
)
def test_durations_have_three_digits_on_both_sides_of_a_unit(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(("ratio", "text"), [(1.23, "1.2x"), (0.946, "0.95x"), (0.96, "1.0x"), (12.0, "12.0x")])
def test_ratios_below_one_keep_their_digits(ratio, text):
    assert format_ratio(ratio) == text


ACTING = "\x00\x07\x08\x0b\r\x1b\x7f\x85\x9b\u061c\u200e\u200f\u2028\u202a\u202e\u2066\u2069\ud800\uffff"


@pytest.mark.parametrize("acting", list(ACTING))
def test_what_acts_instead_of_showing_is_written_out(acting):
    assert printable(f"a{acting}b") == f"a{ascii(acting)[1:-1]}b"
    assert printable_line(f"a{acting}b").isprintable()


def test_letters_of_all_scripts_stay():
    for text in ("größe µs", "名前", "שם", "نام‌ها", "e\u0301", "\N{GRINNING FACE}", "a\nb\tc"):
        assert printable(text) == text
    assert printable_line("a\n\tb") == "a b"
