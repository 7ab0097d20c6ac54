"""Names in tables that a person opens: none of them is taken for a formula."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def spreadsheet_cell(text: str) -> str:
    """Return a name as it is written into a CSV table: with `'` before what a spreadsheet would compute.

    A spreadsheet takes a cell that begins with =, +, - or @ for a formula, and a file or a patient may be called so.
    `plain_cell` takes the mark away.

    Examples
    --------
    >>> spreadsheet_cell("=HYPERLINK(1)"), spreadsheet_cell("promyelocyte")
    ("'=HYPERLINK(1)", 'promyelocyte')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def plain_cell(text: str) -> str:
    """Return the name that `spreadsheet_cell` wrote.

    Examples
    --------
    >>> plain_cell("'=HYPERLINK(1)"), plain_cell("'quoted'")
    ('=HYPERLINK(1)', "'quoted'")
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
