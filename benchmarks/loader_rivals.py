"""What `benchmarks/loader.py` compares with: torch's DataLoader with one sample at a time in worker processes.

Both get the encoded files from memory, so that reading costs them nothing.
"""

import warnings
from collections.abc import Iterator

import albumentations as A
import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2

from distxml.data.rows import Row, decode_pixels

Size = tuple[int, int]


class OpenCvSamples(Dataset):
    """The reference's way: OpenCV decodes and resizes (bilinearly), albumentations augments, a sample at a time."""

    def __init__(self, rows: list[Row], size: Size, probability: float) -> None:
        self.rows, self.size = rows, size
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.augment = A.Compose(_albumentations(), p=probability) if probability else None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, int]:
        row = self.rows[index]
        image = cv2.cvtColor(decode_pixels(row.image, cv2.IMREAD_COLOR, row.key), cv2.COLOR_BGR2RGB)
        mask = decode_pixels(row.mask or b"", cv2.IMREAD_GRAYSCALE, row.key)
        image = cv2.resize(image, self.size[::-1])
        mask = cv2.resize((mask > 127).astype(np.uint8), self.size[::-1], interpolation=cv2.INTER_NEAREST)
        if self.augment:
            out = self.augment(image=image, mask=mask)
            image, mask = out["image"], out["mask"]
        pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 255
        return pixels, torch.from_numpy(np.ascontiguousarray(mask))[None].float(), row.label


class TorchvisionSamples(Dataset):
    """torchvision decodes and resizes (antialiased); transforms v2 augment with the nearest that they have."""

    def __init__(self, rows: list[Row], size: Size, probability: float) -> None:
        self.rows, self.size = rows, size
        self.resize = v2.Resize(size, antialias=True)
        self.augment = v2.RandomApply([v2.Compose(_torchvision())], p=probability) if probability else None
        self.to_float = v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, int]:
        row = self.rows[index]
        image = tv_tensors.Image(decode_image(_tensor(row.image), ImageReadMode.RGB))
        mask = tv_tensors.Mask(decode_image(_tensor(row.mask or b""), ImageReadMode.GRAY) > 127)
        image, mask = self.resize(image, mask)
        if self.augment:
            image, mask = self.augment(image, mask)
        image, mask = self.to_float(image, mask)
        return image.as_subclass(torch.Tensor), mask.as_subclass(torch.Tensor).float(), row.label


def data_loader(samples: Dataset, batch_size: int, workers: int) -> DataLoader:
    """Shuffled batches from worker processes that stay alive between epochs."""
    return DataLoader(samples, batch_size, shuffle=True, num_workers=workers, persistent_workers=True)


def images_of(loader: DataLoader) -> Iterator[int]:
    """The sizes of an epoch's batches."""
    return (len(batch[0]) for batch in loader)


def _tensor(data: bytes) -> torch.Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def _albumentations() -> list:
    blur = [A.MotionBlur(p=0.2), A.MedianBlur(3, p=0.1), A.Blur(3, p=0.1)]
    move = A.Affine(scale=(0.8, 1.2), translate_percent=(-0.0625, 0.0625), rotate=(-45, 45), border_mode=4, p=0.2)
    contrast = [A.CLAHE(clip_limit=2), A.Sharpen(), A.Emboss(), A.RandomBrightnessContrast()]
    return [
        *(A.RandomRotate90(p=0.5), A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5), A.Transpose(p=0.5)),
        A.GaussNoise(std_range=(0.01, 0.05), p=0.2),
        A.OneOf(blur, p=0.2),
        move,
        A.OneOf([A.OpticalDistortion(p=0.3), A.GridDistortion(p=0.1)], p=0.2),
        A.OneOf(contrast, p=0.3),
        A.HueSaturationValue(p=0.3),
    ]


def _torchvision() -> list[v2.Transform]:
    as_float = v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True)
    noise = v2.Compose([as_float, v2.GaussianNoise(sigma=0.03)])
    return [
        *(v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()),
        v2.RandomApply([v2.GaussianBlur(3)], p=0.2),
        v2.RandomApply([v2.RandomAffine([-45, 45], (0.0625, 0.0625), (0.8, 1.2))], p=0.2),
        v2.RandomApply([v2.ElasticTransform()], p=0.2),
        v2.RandomApply([v2.RandomChoice([v2.RandomEqualize(1), v2.RandomAdjustSharpness(2, 1)])], p=0.3),
        v2.RandomApply([v2.ColorJitter(0.2, 0.2, 0.2, 0.1)], p=0.3),
        v2.RandomApply([noise], p=0.2),
    ]
