"""Only what stands between its marks is generated."""

import pytest

from marks import replace_block

PAGE = """a
<!-- x: begin -->
old
<!-- x: end -->
<!-- y: begin --><!-- y: end -->"""


def test_only_what_stands_between_the_marks_changes() -> None:
    assert replace_block(PAGE, 'x', r'\1').startswith(
        'a\n<!-- x: begin -->\n\\1\n<!-- x: end -->\n<!-- y: begin -->'
    )


@pytest.mark.parametrize('text', ['none', PAGE + PAGE])
def test_a_page_needs_one_place_for_each_block(text: str) -> None:
    with pytest.raises(ValueError, match=r'one block .x.: .* <!-- x: begin'):
        replace_block(text, 'x', 'new')
