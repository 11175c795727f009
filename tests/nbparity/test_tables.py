from nbparity.tables import markdown


def test_columns_line_up_and_numbers_stand_right():
    """In a terminal as well as in a browser; a bar in a cell does not end it."""
    assert markdown(("name", "n"), [("a|b", "1000"), ("c", "2")], frozenset({1})) == (
        "| name |    n |\n| ---- | ---: |\n| a\\|b | 1000 |\n| c    |    2 |\n"
    )
