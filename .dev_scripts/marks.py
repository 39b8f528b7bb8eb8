"""Generated blocks of a document that is otherwise written by hand."""

from __future__ import annotations

import re


def replace_block(text: str, name: str, content: str) -> str:
    """Put generated text between its marks.

    Args:
        text (str): The document, with ``<!-- name: begin -->`` and
            ``<!-- name: end -->`` around the block.
        name (str): The name in the marks.
        content (str): What is to stand there.

    Returns:
        str: The document with the block renewed.

    Raises:
        ValueError: The document has not just one such block.

    Example:
        >>> text = 'A <!-- sum: begin --> 3 <!-- sum: end -->'
        >>> print(replace_block(text, 'sum', '4'))
        A <!-- sum: begin -->
        4
        <!-- sum: end -->
    """
    begin, end = f'<!-- {name}: begin -->', f'<!-- {name}: end -->'
    pattern = f'{re.escape(begin)}.*?{re.escape(end)}'
    if len(re.findall(pattern, text, re.DOTALL)) != 1:
        raise ValueError(
            f'the document needs one block {name!r}: write the two lines '
            f'{begin} and {end} where it is to stand'
        )
    block = f'{begin}\n{content}\n{end}'
    return re.sub(pattern, lambda _: block, text, flags=re.DOTALL)
