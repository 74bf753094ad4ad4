"""The base of every settings model: unknown keys fail, docstrings describe fields, values do not change."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Immutable, validated settings. A field's docstring is its description."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)
