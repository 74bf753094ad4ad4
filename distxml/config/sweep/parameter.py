"""One parameter of a sweep: the values that a setting may take, and when it is set at all."""

from typing import Any, Literal, Self, cast

from pydantic import Field, field_validator, model_validator

from distxml.config.base import Settings

Kind = Literal["choice", "grid", "uniform", "loguniform", "integer", "fixed"]
KINDS: tuple[Kind, ...] = ("choice", "grid", "uniform", "loguniform", "integer", "fixed")
RANGES: tuple[Kind, ...] = ("uniform", "loguniform", "integer")


class Parameter(Settings):
    """The values of one dotted setting of the recipe. Exactly one kind is given; a plain value means `fixed`."""

    choice: tuple[Any, ...] | None = None
    """One of these values."""
    grid: tuple[Any, ...] | None = None
    """Each of these values; for `search.kind: grid`."""
    uniform: tuple[float, float] | None = None
    """A number between these two, every one as likely."""
    loguniform: tuple[float, float] | None = None
    """A number between these two, every order of magnitude as likely."""
    integer: tuple[int, int] | None = None
    """A whole number from the first to the second."""
    fixed: Any = None
    """This value in every trial."""
    when: dict[str, Any] = Field(default={})
    """Set only where these other settings have these values (or one of a list of values), as
    `when: {loss.kind: hybrid}`; otherwise the recipe's own value holds and is not searched."""

    @model_validator(mode="before")
    @classmethod
    def _plain_is_fixed(cls, value: object) -> object:
        is_written_out = isinstance(value, dict | Parameter)
        return cast(object, value) if is_written_out else {"fixed": value}

    @field_validator("choice", "grid")
    @classmethod
    def _some_values(cls, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if values is not None and not values:
            raise ValueError("needs a value")
        if values is not None and any(value in values[:index] for index, value in enumerate(values)):
            raise ValueError("lists a value more than once")
        return values

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = self.model_fields_set & set(KINDS)
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(KINDS)}" + (f", not {' and '.join(sorted(given))}" * bool(given)))
        return self

    @model_validator(mode="after")
    def _ranges_go_up(self) -> Self:
        if self.kind in RANGES:
            low, high = self.ends
            if not low < high:
                raise ValueError(f"{self.kind} needs its lower end first, and a higher one after it")
            if self.kind == "loguniform" and low <= 0:
                raise ValueError("loguniform needs ends above 0")
        return self

    @property
    def kind(self) -> Kind:
        """Which one is given."""
        return next(kind for kind in KINDS if kind in self.model_fields_set)

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest value of a range."""
        low, high = getattr(self, self.kind)
        return low, high

    @property
    def listed(self) -> tuple[Any, ...]:
        """The values of a choice, a grid or a fixed value; those of a range: its two ends."""
        return (self.fixed,) if self.kind == "fixed" else tuple(getattr(self, self.kind))

    def in_words(self) -> str:
        """For a table."""
        low_high = getattr(self, self.kind)
        text = f"{self.fixed}" if self.kind == "fixed" else ", ".join(f"{value}" for value in low_high)
        when = " and ".join(f"{name}={value}" for name, value in self.when.items())
        return f"{self.kind} {text}" + (f" where {when}" if when else "")
