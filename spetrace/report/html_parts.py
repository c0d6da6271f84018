"""Pieces of an HTML report: sections, lists and plain tables, all text escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape


def section(title: str, content: str, name: str = "") -> Iterator[str]:
    """A titled section; nothing where there is no content."""
    if content:
        named = f' id="{name}"' if name else ""
        yield f"<section{named}><h2>{escape(title)}</h2>\n{content}\n</section>"


def plain_table(heads: Iterable[str], rows: Iterable[str]) -> str:
    """A table to read, of rows that are HTML already."""
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "\n".join(rows)
    return (
        f'<div class="scroll"><table class="plain"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def terms(pairs: Iterable[tuple[str, str]]) -> str:
    """Names with what they stand for; nothing where there are none."""
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs)
    return f"<dl>{listed}</dl>" if listed else ""


def bullets(items: Iterable[str]) -> str:
    """A list of texts."""
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def paragraphs(texts: Iterable[str], kind: str = "") -> str:
    """A paragraph per text; names with hyphens stay on one line."""
    return "".join(f"<p{classes([kind])}>{_unbroken(escape(text))}</p>" for text in texts)


def classes(names: Iterable[str]) -> str:
    """The class attribute of an element; nothing where it has none."""
    joined = " ".join(filter(None, names))
    return f' class="{joined}"' if joined else ""


def scrolling(label: str, table: str) -> str:
    """A wide table in a region that scrolls by itself, by keyboard too."""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{table}</div>'
    )


def _unbroken(text: str) -> str:
    return re.sub(r"\w+(?:-\w+)+", r'<span class="name">\g<0></span>', text)
