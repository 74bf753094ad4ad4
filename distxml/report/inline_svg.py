"""An SVG document of matplotlib's as an element of an HTML page."""

import hashlib
import re
from collections.abc import Mapping
from html import escape


def inline(document: str, alt: str, theme: Mapping[str, str]) -> str:
    """No prolog, no metadata, no ids that could clash with another element's; safe to put into a page.

    Args:
        document: what matplotlib wrote, its text as text.
        alt: what it shows, in words.
        theme: what each colour becomes.
    """
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<g) id="[^"]*"', r"\1", svg)  # nothing refers to a group
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)  # it would reach the whole page
    svg = _own_ids(svg, hashlib.sha256((alt + svg).encode()).hexdigest()[:8])
    svg = re.sub(r'<svg([^>]*?) (?:width|height)="[^"]*"([^>]*?) (?:width|height)="[^"]*"', r"<svg\1\2", svg, count=1)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)
    svg = re.sub(r' d="[^"]*"', _shorter_numbers, svg)
    for color, variable in theme.items():
        svg = svg.replace(color, variable)
    return re.sub(r'font-family: [^;"]+', "font-family: inherit", svg).strip()


def _own_ids(svg: str, prefix: str) -> str:
    """`prefix` before every id and every reference to one."""
    return re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{prefix}", svg)


def _shorter_numbers(path: re.Match[str]) -> str:
    """A path with hundredths of a point, which no screen shows: half the size."""
    return re.sub(r"(\.\d\d)\d+", r"\1", path[0])
