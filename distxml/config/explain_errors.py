"""Pydantic's validation errors as one line each: the file, the field, the value, the remedy."""

import difflib
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

MAX_SHOWN = 5
MIN_LIKENESS = 0.01
"""Of a key and a valid one, from 0 to 1: what has no letter in common is not suggested."""

Location = tuple[int | str, ...]


def readable_errors(kind: type[BaseModel], error: ValidationError, origin: str, overridden: Sequence[str]) -> str:
    """Every field's error on a line of its own; at most `MAX_SHOWN` of them.

    Args:
        kind: the settings that were validated.
        error: what pydantic found.
        origin: the file (or other place) of the values, named where no override is at fault.
        overridden: dotted keys that overrides set, such as `loss.beta`.
    """
    details = error.errors()
    lines = [_one_line(kind, dict(detail), origin, overridden) for detail in _one_of_each_union(details)]
    if len(lines) > MAX_SHOWN:
        lines[MAX_SHOWN:] = [f"... and {len(lines) - MAX_SHOWN} more errors"]
    return "\n".join(lines)


def _one_of_each_union(details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Pydantic tells why each member of a union does not fit; the first is enough."""
    kept: dict[Location, ErrorDetails] = {}
    for detail in details:
        place = tuple(takewhile(lambda part: not (isinstance(part, str) and "[" in part), detail["loc"]))
        kept.setdefault(place, detail)
    return list(kept.values())


def _one_line(kind: type[BaseModel], detail: dict[str, Any], origin: str, overridden: Sequence[str]) -> str:
    location, parent = _resolve(kind, detail["loc"])
    field = ".".join(str(part) for part in location)
    is_unknown = detail["type"] == "extra_forbidden"
    by_override = any(_within(field, key) or (is_unknown and _within(key, field)) for key in overridden)
    where = f"override {field}" if by_override else f"{origin}: {field}" if field else origin
    if is_unknown:
        return f"{where}: unknown key (value {detail['input']!r}); {_suggestion(location, parent)}"
    if detail["type"] == "missing":
        return f"{where}: is missing; set it in the file or with {field}=VALUE"
    message = detail["msg"].removeprefix("Value error, ")
    value = "" if isinstance(detail["input"], dict) else f" (value {detail['input']!r})"
    return f"{where}: {message}{value}"


def _within(field: str, group: str) -> bool:
    return field == group or field.startswith(f"{group}.")


def _suggestion(location: Location, parent: type[BaseModel]) -> str:
    valid = list(parent.model_fields)
    near = difflib.get_close_matches(str(location[-1]), valid, n=1, cutoff=MIN_LIKENESS)
    prefix = "".join(f"{part}." for part in location[:-1])
    known = ", ".join(valid)
    return f"did you mean {prefix}{near[0]}? Valid: {known}" if near else f"valid: {known}"


def _resolve(kind: type[BaseModel], loc: Location) -> tuple[Location, type[BaseModel]]:
    """The location as the user writes it (no union tags), and the model that holds its last part."""
    shown: list[int | str] = []
    models: list[type[BaseModel]] = [kind]
    parent = kind
    for part in loc:
        tagged = [model for model in models if len(models) > 1 and _bears_tag(model, part)]
        if tagged:
            models = tagged
            continue
        if isinstance(part, str) and "[" in part:
            continue  # pydantic's name for a member of a union
        shown.append(part)
        if isinstance(part, int) or not models:
            continue
        parent = next((model for model in models if part in model.model_fields), models[0])
        field = parent.model_fields.get(part)
        models = _models_in(field.annotation) if field else []
    return tuple(shown), parent


def _bears_tag(model: type[BaseModel], tag: int | str) -> bool:
    return "kind" in model.model_fields and tag in get_args(model.model_fields["kind"].annotation)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: dict[type[BaseModel], None] = {}
    for inner in get_args(annotation):
        found.update(dict.fromkeys(_models_in(inner)))
    return list(found)
