import pytest

from nbparity.tables import figure, markdown


def test_columns_line_up_and_numbers_stand_right():
    """In a terminal as well as in a browser; a bar in a cell does not end it."""
    assert markdown(("name", "n"), [("a|b", "1000"), ("c", "2")], frozenset({1})) == (
        "| name |    n |\n| ---- | ---: |\n| a\\|b | 1000 |\n| c    |    2 |\n"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        ("a word", "a word"),
        (9999, "9999"),
        (-47695532, "-47,695,532"),
        (0.0, "0"),
        (1.0, "1"),
        (0.8920606064129658, "0.892061"),
        (3.147756752799884e-05, "3.14776e-05"),
        (109907815103.726, "1.09908e+11"),
        (float("nan"), "nan"),
    ],
)
def test_figures_are_rounded_for_reading(value, text):
    """Six significant digits, thousands in groups."""
    assert figure(value) == text


@pytest.mark.parametrize("value", [0.9999998393318060, 1.0000000001, 1 - 2.0**-53, 2 + 2.0**-51])
def test_rounding_makes_no_whole_number(value):
    """6,224,000 of 6,224,001 pixels are not all of them; as few digits as show it."""
    text = figure(value)
    assert not float(text).is_integer()
    assert float(text) == pytest.approx(value, rel=1e-15, abs=abs(value - round(value)) / 2)


def test_rounding_makes_no_limit():
    """A ratio beyond a limit is not written as the limit; the limit itself is."""
    assert figure(1.0100000001, limits=(0.99, 1.01)) == "1.0100000001"
    assert figure(1.01, limits=(0.99, 1.01)) == "1.01"
