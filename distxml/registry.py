"""Registries: the named things that settings choose from, each registered in one place.

A registry lives in the package of its things, in a module that imports neither torch nor Ray, and holds one entry per
thing: a frozen dataclass with a `name`, what other parts of the program need to know of it, and the address of its
code, which is imported only when it is used:

    @dataclass(frozen=True)
    class FillEntry:
        name: str
        make: Address

    FILLS = Registry("fill", [FillEntry("black", "distxml.evaluation.perturbation.fill_images:black"), ...])

    FILLS.names()             # in the order of their registration
    FILLS["blur"]             # its entry; ValueError with the nearest name where there is none
    load(FILLS["blur"].make)  # its code
    FILLS.add(FillEntry("pink", paint_it_pink))  # from outside: an address or the code itself

A setting that takes one of the names is annotated with the registry's own address, so that the settings need not import
the package: `Fill = Annotated[str, NameIn("distxml.evaluation.perturbation.fills:FILLS")]`.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Generic, Protocol, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

Address = str | Callable[..., Any]
"""`package.module:attribute`, or the attribute itself."""


class Named(Protocol):
    """What a registry holds."""

    @property
    def name(self) -> str:
        """As settings write it."""
        ...


Entry = TypeVar("Entry", bound=Named)


def load(address: Address) -> Any:
    """What lies at an address; its module is imported now."""
    if not isinstance(address, str):
        return address
    module, _, attribute = address.partition(":")
    return getattr(import_module(module), attribute)


class Registry(Generic[Entry]):
    """Entries by name, in the order of their registration."""

    def __init__(self, kind: str, entries: Iterable[Entry] = ()) -> None:
        """`kind`: what messages call an entry, such as `heatmap method`."""
        self.kind = kind
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Register an entry.

        Raises:
            ValueError: its name is taken.
        """
        if entry.name in self._entries:
            raise ValueError(f"there is a {self.kind} {entry.name} already; choose another name")
        self._entries[entry.name] = entry

    def remove(self, name: str) -> None:
        """Take an entry out again."""
        del self._entries[self[name].name]

    def names(self) -> tuple[str, ...]:
        """All names."""
        return tuple(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __getitem__(self, name: str) -> Entry:
        """The entry of that name.

        Raises:
            ValueError: there is none; it says which name is nearest.
        """
        if name not in self._entries:
            near = difflib.get_close_matches(name, self._entries, n=1, cutoff=0.0)
            suggestion = f"did you mean {near[0]}? Valid: {', '.join(self._entries)}" if near else "none is registered"
            raise ValueError(f"there is no such {self.kind}; {suggestion}")
        return self._entries[name]


@dataclass(frozen=True)
class RegistryPart(Generic[Entry]):
    """The entries of a registry that `holds` is true for, for a setting that admits only those; read anew each time.

    Attributes:
        whole: the registry.
        kind: what messages call such an entry.
        holds: of an entry.
    """

    whole: Registry[Entry]
    kind: str
    holds: Callable[[Entry], bool]

    def names(self) -> tuple[str, ...]:
        """Their names."""
        return self._part().names()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._part())

    def __getitem__(self, name: str) -> Entry:
        """The entry of that name; ValueError where there is none."""
        return self._part()[name]

    def _part(self) -> Registry[Entry]:
        return Registry(self.kind, filter(self.holds, self.whole))


@dataclass(frozen=True)
class NameIn:
    """Annotation of a setting that is a name in the registry at `address`; read when a value is validated."""

    address: str

    def names(self) -> tuple[str, ...]:
        """The valid values."""
        return self.registry().names()

    def check(self, name: str) -> str:
        """The name, if the registry has it; a ValueError otherwise."""
        return self.registry()[name].name

    def registry(self) -> Registry[Any] | RegistryPart[Any]:
        """The registry itself."""
        return load(self.address)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | {"enum": list(self.names())}
