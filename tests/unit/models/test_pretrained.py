"""Pretrained weights: a file, or torchvision's, from torch.hub's cache or a web server."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import torch
from torchvision.models import resnet18

from distxml.config.model import ModelSettings
from distxml.errors import UserError
from distxml.models import pretrained
from distxml.models.checkpoint import ModelCard, build_model, load_model, save_model
from distxml.models.pretrained import pretrained_file
from distxml.models.resnet import gated_resnet

IMAGENET = ModelSettings(classifier="resnet18", normalization="imagenet", pretrained="imagenet", explainer_width=4)


class Quiet(http.server.SimpleHTTPRequestHandler):
    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server of the folder `served`."""
    (tmp_path / "served").mkdir()
    Quiet.requests = 0
    handler = partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch.hub's folder of checkpoints, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/hub/checkpoints"


def publish(folder: Path) -> tuple[str, dict[str, torch.Tensor]]:
    """Random weights of a ResNet-18 under a name that ends as torchvision's do; the name and the weights."""
    weights = resnet18(weights=None).state_dict()
    torch.save(weights, folder / "w.pth")
    name = f"resnet18-{hashlib.sha256((folder / 'w.pth').read_bytes()).hexdigest()[:8]}.pth"
    (folder / "w.pth").rename(folder / name)
    return name, weights


def test_one_of_many_downloads_and_all_get_the_whole_file(tmp_path: Path, server: str, cache: Path) -> None:
    name, weights = publish(tmp_path / "served")
    with ThreadPoolExecutor(4) as pool:
        files = list(pool.map(lambda _: pretrained.cached_download(f"{server}/{name}"), range(4)))
    assert files == [cache / name] * 4 and Quiet.requests == 1
    assert torch.equal(pretrained.read_pretrained(files[0])["conv1.weight"], weights["conv1.weight"])
    assert not list(cache.glob("*.partial"))
    assert pretrained.cached_download(f"{server}/{name}") == cache / name and Quiet.requests == 1


def test_what_is_not_as_published_is_refused_and_not_kept(tmp_path: Path, server: str, cache: Path) -> None:
    (tmp_path / "served/resnet18-00000000.pth").write_bytes(b"something else")
    with pytest.raises(UserError, match=r"cannot be downloaded \(invalid hash.*model\.pretrained=FILE"):
        pretrained.cached_download(f"{server}/resnet18-00000000.pth")
    assert not list(cache.glob("*.pth"))


def test_a_damaged_file_in_the_cache_is_refused(tmp_path: Path, server: str, cache: Path) -> None:
    name, _ = publish(tmp_path / "served")
    file = pretrained.cached_download(f"{server}/{name}")
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"resnet18-.*\.pth: is damaged .* remove it"):
        pretrained.cached_download(f"{server}/{name}")


def test_no_network(server: str, cache: Path) -> None:
    with pytest.raises(UserError) as error:
        pretrained.cached_download(f"{server}/resnet18-12345678.pth")
    message = str(error.value)
    assert "\n" not in message and "404" in message and str(cache) in message and "model.pretrained=FILE" in message


def test_the_imagenet_weights_are_looked_for_in_the_cache(cache: Path) -> None:
    """Their real name is resnet18-f37072fd.pth; a file of that name with other contents is not trusted."""
    cache.mkdir(parents=True)
    (cache / "resnet18-f37072fd.pth").write_bytes(b"something else")
    with pytest.raises(UserError, match=r"resnet18-f37072fd\.pth: is damaged"):
        gated_resnet(IMAGENET, 2)


def test_a_file_or_nothing(tmp_path: Path) -> None:
    assert pretrained_file(ModelSettings()) is None
    (tmp_path / "w.pth").write_bytes(b"")
    assert pretrained_file(ModelSettings(pretrained=tmp_path / "w.pth")) == tmp_path / "w.pth"
    with pytest.raises(UserError, match=r"gone\.pth: no such file"):
        pretrained_file(ModelSettings(pretrained=tmp_path / "gone.pth"))


def test_a_checkpoint_never_downloads(tmp_path: Path, cache: Path) -> None:
    plain = IMAGENET.model_copy(update={"pretrained": None})
    card = ModelCard(settings=IMAGENET, classes=("a", "b"), image_size=(16, 16), dataset="d")
    save_model(tmp_path, build_model(card.model_copy(update={"settings": plain})), card)
    assert load_model(tmp_path).card.settings.pretrained == "imagenet"
    assert not cache.exists()
