"""A page of HTML, parsed as a browser would, for tests to ask questions of."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from distxml.config.run_folder import RunFolder
from distxml.report.document import read_content
from distxml.report.figures.all import Figures
from distxml.report.html_page import render

VOID = {"meta", "img", "br", "link", "input", "hr"}
REFERENCES = {"src", "href", "xlink:href", "data", "action", "poster", "srcset"}


@dataclass
class Element:
    """A start tag."""

    tag: str
    attributes: dict[str, str]


@dataclass
class Page:
    """Elements in document order, and the text between tags with single spaces."""

    elements: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str) -> list[Element]:
        """Every element of that tag."""
        return [element for element in self.elements if element.tag == tag]

    @property
    def references(self) -> list[str]:
        """Every address that a browser could follow or load."""
        return [value for element in self.elements for name, value in element.attributes.items() if name in REFERENCES]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append(Element(tag, {name: value or "" for name, value in attrs}))
        self.page.text += " "
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.page.text += data


def parse(html: str) -> Page:
    """The page; AssertionError where its tags are not nested."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    parser.page.text = " ".join(parser.page.text.split())
    return parser.page


def page_without_figures(run: RunFolder) -> Page:
    """What the report says; its figures take most of the time, and not every test looks at them."""
    return parse(render(read_content(run), Figures()))
