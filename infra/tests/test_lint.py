"""The linters are content, with the templates as written and as SAM translates them."""

import check_template


def test_templates_are_valid():
    assert check_template.problems() == []
