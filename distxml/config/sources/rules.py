"""What several kinds of source let the user choose."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator

BoxOutsideImage = Literal["fail", "clip", "leave_out"]
"""A box that reaches outside its image: fail, cut it off at the border, or leave the image out."""

MissingMask = Literal["not_annotated", "leave_out", "fail"]
"""An image without a mask: take it as not annotated, leave it out, or fail."""


def _one_group(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"not a regular expression ({error})") from None
    if groups != 1:
        raise ValueError(f"must have one pair of parentheses around what names the group, not {groups}")
    return pattern


def _distinct(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if names is not None and len(set(names)) < len(names):
        raise ValueError(f"a name comes twice in {', '.join(names)}; name each class once")
    return names


GroupPattern = Annotated[str, AfterValidator(_one_group)]
"""A regular expression with one pair of parentheses, looked for in a file's path below the source's folder."""

ClassNames = Annotated[tuple[str, ...] | None, AfterValidator(_distinct)]
"""Names of the classes in label order, each once."""
