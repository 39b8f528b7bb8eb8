"""Generated parts of a document that is otherwise written by hand."""

from __future__ import annotations

import re


def fill(text: str, name: str, part: str) -> str:
    """Put a generated part between its marks.

    Args:
        text (str): The document, with ``<!-- name: begin -->`` and
            ``<!-- name: end -->`` around the place.
        name (str): The name in the marks.
        part (str): What is to stand there.

    Returns:
        str: The document with the part renewed.

    Raises:
        ValueError: The document has not just one such place.

    Example:
        >>> text = 'A <!-- sum: begin --> 3 <!-- sum: end -->'
        >>> print(fill(text, 'sum', '4'))
        A <!-- sum: begin -->
        4
        <!-- sum: end -->
    """
    begin, end = f'<!-- {name}: begin -->', f'<!-- {name}: end -->'
    pattern = f'{re.escape(begin)}.*?{re.escape(end)}'
    if len(re.findall(pattern, text, re.DOTALL)) != 1:
        raise ValueError(
            f'the document needs one place for {name!r}: write the two lines '
            f'{begin} and {end} where it is to stand'
        )
    block = f'{begin}\n{part}\n{end}'
    return re.sub(pattern, lambda _: block, text, flags=re.DOTALL)
