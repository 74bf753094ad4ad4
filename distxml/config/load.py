"""From a YAML file (or a packaged recipe's name) and `a.b=c` overrides to validated settings."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, ValidationError

from distxml.config.explain_errors import readable_errors
from distxml.errors import UserError, reason_of
from distxml.recipes import find_recipe

AnySettings = TypeVar("AnySettings", bound=BaseModel)


def load_settings(
    kind: type[AnySettings],
    recipe: str,
    overrides: list[str],
    shelf: str = "experiments",
    defaults: dict[str, Any] | None = None,
) -> AnySettings:
    """Settings of type `kind` from a recipe and overrides.

    Args:
        kind: the settings model to validate against.
        recipe: path of a YAML file, or the name of a packaged recipe.
        overrides: `a.b=c` each; list items by index; the value is YAML.
        shelf: which packaged recipes a name refers to: `experiments` or `datasets`.
        defaults: dotted keys that hold where neither the recipe nor an override says otherwise.

    Raises:
        UserError: the file is missing, is not YAML, or a field is unknown or wrong.
    """
    path = find_recipe(recipe, shelf)
    tree = _read_yaml(path)
    for key, value in (defaults or {}).items():
        if OmegaConf.select(tree, key) is None:
            OmegaConf.update(tree, key, value, force_add=True)
    for override in overrides:
        _write_out_default(kind, tree, override.partition("=")[0])
    overridden = [_apply(tree, override) for override in overrides]
    try:
        content: Any = OmegaConf.to_container(tree, resolve=True)
    except OmegaConfBaseException as error:
        raise UserError(f"{path}: {reason_of(error)}; mend the reference") from None
    return validate(kind, content, str(path), overridden)


def _write_out_default(kind: type[BaseModel], tree: Any, key: str) -> None:
    """Where `key` changes one field of a group that the file leaves to its default, the default's other fields stay."""
    *parents, _ = key.split(".")
    model, place = kind, ""
    for name in parents:
        default: Any = model.model_fields[name].default if name in model.model_fields else None
        if not isinstance(default, BaseModel):
            return
        place = f"{place}.{name}" if place else name
        if OmegaConf.select(tree, place) is None:
            given = default.model_dump(mode="json", exclude_unset=True)
            OmegaConf.update(tree, place, given, force_add=True)
        model = type(default)


def validate(kind: type[AnySettings], content: object, origin: str, overridden: list[str] | None = None) -> AnySettings:
    """`content` as settings of type `kind`; errors name `origin` (a file) or the override at fault.

    Args:
        kind: the settings to make.
        content: mappings, lists and plain values, as read from YAML.
        origin: where the content comes from, for errors.
        overridden: dotted keys that overrides set, such as `loss.beta`.

    Raises:
        UserError: the content is not valid.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise UserError(readable_errors(kind, error, origin, overridden or [])) from None


def validate_json_file(kind: type[AnySettings], path: Path, remedy: str) -> AnySettings:
    """A JSON file that distxml wrote, as `kind`; the error is one line that ends with `remedy`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _not_ours(str(path), reason_of(error), remedy) from None
    return validate_json(kind, content, str(path), remedy)


def validate_json(kind: type[AnySettings], content: bytes, origin: str, remedy: str) -> AnySettings:
    """JSON that distxml wrote, as `kind`; the error is one line.

    Args:
        kind: the settings to make.
        content: the JSON text.
        origin: where it was read from, which the error names.
        remedy: what to do about it; the error ends with it.

    Raises:
        UserError: the content is not valid.
    """
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(str(part) for part in detail["loc"])
        reason = ": ".join(filter(None, [place, detail["msg"].removeprefix("Value error, ")]))
    raise _not_ours(origin, reason, remedy)


def _not_ours(origin: str, reason: str, remedy: str) -> UserError:
    return UserError(f"{origin}: not what this version of distxml writes ({reason}); {remedy}")


def override_settings(settings: AnySettings, overrides: list[str], origin: str) -> AnySettings:
    """`settings` with `a.b=c` overrides applied, validated again; errors name `origin` or the override at fault."""
    tree = OmegaConf.create(settings.model_dump(mode="json"))
    overridden = [_apply(tree, override) for override in overrides]
    return validate(type(settings), OmegaConf.to_container(tree), origin, overridden)


def with_settings(settings: AnySettings, values: dict[str, Any], origin: str) -> AnySettings:
    """`settings` with other values at some dotted places (list items by index), validated again.

    What a validator decided because it was unset is decided anew.

    Raises:
        UserError: there is no such place, or a value does not suit it; it names `origin`.
    """
    tree = OmegaConf.create(_as_given(settings))
    for name, value in values.items():
        try:
            OmegaConf.update(tree, name, value, force_add=True)
        except (OmegaConfBaseException, IndexError, ValueError, TypeError) as error:
            raise UserError(f"{origin}: {name}: there is no such place ({reason_of(error)})") from None
    return validate(type(settings), OmegaConf.to_container(tree), origin)


def _as_given(settings: BaseModel) -> dict[str, Any]:
    """The settings as JSON; unset where nobody has given a value, though a validator may have decided one."""
    tree = settings.model_dump(mode="json")
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            tree[name] = _as_given(value)
        elif field.default is None and name not in settings.model_fields_set:
            tree[name] = None
    return tree


def to_yaml(settings: BaseModel) -> str:
    """The resolved settings as YAML that `load_settings` reads back."""
    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _read_yaml(path: Path) -> Any:
    try:
        tree = OmegaConf.load(path)
    except (yaml.YAMLError, OmegaConfBaseException, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid YAML ({reason_of(error)}); mend the file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({reason_of(error)})") from None
    if not OmegaConf.is_dict(tree):
        raise UserError(f"{path}: must hold `key: value` lines, not a list or a single value")
    return tree


def _apply(tree: Any, override: str) -> str:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise UserError(f"override {override!r}: must look like a.b=value")
    try:
        OmegaConf.update(tree, key, yaml.safe_load(text), force_add=True)
    except yaml.YAMLError:
        raise UserError(f"override {override!r}: {text!r} is not a YAML value; quote it") from None
    except (OmegaConfBaseException, IndexError, ValueError, TypeError) as error:
        raise UserError(f"override {override!r}: there is no such place ({reason_of(error)})") from None
    return key
