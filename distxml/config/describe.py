"""Settings in words: every field with its type, default, bounds and docstring, read from the models themselves.

`distxml settings` prints them, and docs/settings.md is made of them.
"""

import types
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, cast, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from distxml.registry import NameIn

SIGNS = {Ge: ("ge", "≥"), Gt: ("gt", ">"), Le: ("le", "≤"), Lt: ("lt", "<")}
PLAIN_NAMES: dict[object, str] = {
    float: "number",
    int: "integer",
    str: "text",
    bool: "true or false",
    Path: "path",
    Any: "any value",
    types.NoneType: "unset",
}


@dataclass(frozen=True)
class FieldDescription:
    """One setting, as its reader sees it.

    Attributes:
        name: dotted, as a recipe and an override write it.
        type: of its values, in words.
        default: as YAML would write it; `required` where there is none.
        bounds: such as `≥ 0 and < 1`; empty where any value of the type is admitted.
        text: its docstring, on one line.
    """

    name: str
    type: str
    default: str
    bounds: str
    text: str


@dataclass(frozen=True)
class Section:
    """The fields of one settings model at one place of the tree; `name` is empty at its root."""

    name: str
    text: str
    fields: tuple[FieldDescription, ...]


def sections(kind: type[BaseModel], name: str = "", given: BaseModel | None = None) -> Iterator[Section]:
    """The models of a settings tree from the root down, each with all of its fields, in the order of their definition.

    Args:
        kind: the settings model at the root.
        name: dotted name of the root, where it is a part of a larger tree.
        given: the value that the larger tree gives it by default: its fields are then the defaults.
    """
    prefix = f"{name}." if name else ""
    fields = [_describe(field, f"{prefix}{own}", given and getattr(given, own)) for own, field in _fields(kind)]
    yield Section(name, _one_line(kind.__doc__), tuple(fields))
    for own, field in _fields(kind):
        for model, place in _models(field.annotation):
            value = getattr(given, own) if given else field.get_default()
            yield from sections(model, f"{prefix}{own}{place}", value if isinstance(value, model) else None)


def find(kind: type[BaseModel], name: str) -> list[Section]:
    """What a dotted name stands for: one field, a model's fields and those below it, or nothing.

    Args:
        kind: the settings model at the root.
        name: dotted; empty for all of them.
    """
    every = list(sections(kind))
    if not name:
        return every
    below = [one for one in every if _plain(one.name) == name or _plain(one.name).startswith(f"{name}.")]
    if below:
        return below
    fields = [(one, tuple(field for field in one.fields if _plain(field.name) == name)) for one in every]
    return [Section(one.name, one.text, own) for one, own in fields if own]


def names(kind: type[BaseModel]) -> list[str]:
    """The dotted names of all fields."""
    return [_plain(field.name) for section in sections(kind) for field in section.fields]


def _fields(kind: type[BaseModel]) -> Iterable[tuple[str, FieldInfo]]:
    return kind.model_fields.items()


def _describe(field: FieldInfo, name: str, given: object) -> FieldDescription:
    return FieldDescription(
        name=name,
        type=_registered_names(field.metadata) or _type_in_words(field.annotation),
        default=_default(field, given),
        bounds=_bounds(field.metadata),
        text=_one_line(field.description),
    )


def _plain(name: str) -> str:
    """Without the tags that tell the members of a union apart."""
    return ".".join(part.partition("[")[0] for part in name.split("."))


def _models(annotation: Any, place: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """The settings models that a field's value may be or hold, each with what a dotted name adds for it."""
    inner = [member for member in get_args(annotation) if member is not Ellipsis]
    if not inner:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation, place
        return
    found = [(model, below) for member in inner for model, below in _models(member, place)]
    if get_origin(annotation) in (dict, tuple):
        holder = ".NAME" if get_origin(annotation) is dict else ".N"
        yield from ((model, f"{holder}{below}") for model, below in dict.fromkeys(found))
    else:
        yield from ((model, f"[kind={_tag(model)}]{below}" if len(found) > 1 else below) for model, below in found)


def _tag(model: type[BaseModel]) -> str:
    """What the members of a union are told apart by: the `kind` of the first, or the model's name."""
    kind = model.model_fields.get("kind")
    return str(get_args(kind.annotation)[0]) if kind else model.__name__


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _type_in_words(annotation: Any) -> str:
    inner = get_args(annotation)
    if annotation in PLAIN_NAMES:
        return PLAIN_NAMES[annotation]
    if _is_union(annotation):
        return " | ".join(dict.fromkeys(_type_in_words(member) for member in inner))
    if hasattr(annotation, "__metadata__"):  # Annotated: the bounds of a list's items
        names = _registered_names(annotation.__metadata__)
        return names or f"{_type_in_words(inner[0])} {_bounds(annotation.__metadata__)}".strip()
    if inner:
        return _generic_in_words(get_origin(annotation), inner)
    return "section" if issubclass(annotation, BaseModel) else annotation.__name__


def _registered_names(metadata: Any) -> str:
    return " | ".join(name for one in metadata if isinstance(one, NameIn) for name in one.names())


def _generic_in_words(origin: Any, inner: tuple[Any, ...]) -> str:
    if origin is Literal:
        return " | ".join(str(value) for value in inner)
    words = [_type_in_words(member) for member in inner if member is not Ellipsis]
    if origin is tuple:
        return f"list of {words[0]}" if inner[-1] is Ellipsis else f"[{', '.join(words)}]"
    return f"mapping of {words[0]} to {words[1]}"


def _default(field: FieldInfo, given: object) -> str:
    if field.is_required() and given is None:
        return "required"
    value = field.get_default(call_default_factory=True) if given is None else given
    if isinstance(value, BaseModel):
        return "see its fields"
    return "unset" if value is None else _as_yaml(value)


def _as_yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(_as_yaml(item) for item in cast(Sequence[object], value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _bounds(metadata: Any) -> str:
    found: list[str] = []
    for one in _flat(metadata):
        found += [f"{sign} {_as_yaml(getattr(one, name))}" for kind, (name, sign) in SIGNS.items() if type(one) is kind]
        if isinstance(one, MinLen):
            found.append("not empty" if one.min_length == 1 else f"at least {one.min_length} long")
    return " and ".join(found)


def _flat(metadata: Any) -> Iterator[Any]:
    """Bounds, also those inside a `Field(...)` of an `Annotated`."""
    for one in metadata:
        yield from one.metadata if isinstance(one, FieldInfo) else (one,)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
