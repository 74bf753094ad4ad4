"""Pretrained weights of torchvision's ResNets: a file, or torchvision's own, downloaded once per node."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.hub import download_url_to_file
from torchvision import models

from distxml.config.model import ModelSettings
from distxml.digest import file_digest
from distxml.errors import UserError, reason_of
from distxml.locks import locked

SECONDS_WITHOUT_ANSWER = 30


def pretrained_file(settings: ModelSettings) -> Path | None:
    """The file of `model.pretrained` on this node; None where the model starts from new weights.

    torchvision's weights are downloaded if torch.hub's cache (TORCH_HOME) lacks them. Any number of processes may ask
    at once: one downloads, the others wait for it.

    Raises:
        UserError: the file is not there; or the download fails, or is not what torchvision published.
    """
    if settings.pretrained is None:
        return None
    if settings.pretrained == "imagenet":
        return cached_download(str(models.get_model_weights(settings.classifier)["DEFAULT"].url))
    if not settings.pretrained.is_file():
        raise UserError(f"model.pretrained: {settings.pretrained}: no such file; download torchvision's weights first")
    return settings.pretrained


def read_pretrained(file: Path) -> dict[str, Tensor]:
    """The state dict in a safetensors or weights-only .pth file; any error that reading ends in is passed on."""
    if file.suffix == ".safetensors":
        return load_file(file)
    return torch.load(file, map_location="cpu", weights_only=True)


def cached_download(url: str) -> Path:
    """The file of that address in torch.hub's cache, downloaded if need be; it is named NAME-DIGITS.pth, DIGITS
    being the first of its SHA-256, which is checked each time.

    Raises:
        UserError: the download fails, or the file is not the one that was published.
    """
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not file.is_file():
        _download(url, file)
    digest = _published_digest(file)
    if not file_digest(file).startswith(digest):
        raise UserError(
            f"model.pretrained=imagenet: {file}: is damaged (its SHA-256 does not begin with {digest}); remove it"
        )
    return file


def _download(url: str, file: Path) -> None:
    """To a temporary name, checked, then renamed; by one process at a time."""
    try:
        with locked(file.with_name(f"{file.name}.lock")), _bounded_silence():
            if not file.is_file():
                download_url_to_file(url, str(file), _published_digest(file), progress=sys.stderr.isatty())
    except (OSError, RuntimeError) as error:  # RuntimeError: the checksum differs
        raise UserError(
            f"model.pretrained=imagenet: {url} cannot be downloaded ({reason_of(error)}); download it elsewhere "
            f"and put it into {file.parent} of every node, or name it: model.pretrained=FILE"
        ) from None


@contextmanager
def _bounded_silence() -> Iterator[None]:
    """A network that swallows packets ends in an error within seconds, not minutes."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS_WITHOUT_ANSWER)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _published_digest(file: Path) -> str:
    """The first digits of the SHA-256, which torchvision writes into names: resnet18-DIGITS.pth."""
    return file.stem.rpartition("-")[2]
