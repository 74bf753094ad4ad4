"""Class folders: one folder of images per class, masks beside them or in a folder of their own."""

from dataclasses import dataclass
from pathlib import Path

from distxml.config.sources import FoldersSource
from distxml.data.schema import SPLITS, Split
from distxml.errors import UserError
from distxml.sources.file_item import FileItem
from distxml.sources.files import find_images, require_folder, visible_entries
from distxml.sources.material import RawMaterial, Rejected, Track, Unusable
from distxml.sources.paths import group_of, require_distinct_keys, stays_below, without_suffix
from distxml.sources.regions import MaskFile, without_mask

NEEDED_SPLITS: tuple[Split, ...] = ("train", "test")
"""Where a source fixes these but no val, val is taken from train."""


@dataclass(frozen=True)
class ClassFolder:
    """The images of a class, or of a class in a split."""

    path: Path
    name: str
    split: Split | None


def folders_material(settings: FoldersSource, track: Track) -> RawMaterial:
    """Every image of the class folders, with its mask where there is one.

    Raises:
        UserError: a folder is missing or holds no image, or two images differ only in their suffix.
    """
    require_folder("source.folder", settings.folder)
    found = [folder for root, split in _roots(settings) for folder in _class_folders(root, split)]
    classes = _classes(found, settings)
    rejected: list[Rejected] = []
    images: dict[str, tuple[Path, ClassFolder]] = {}
    for folder in track([folder for folder in found if folder.name in classes], "listing images"):
        files = find_images(folder.path, settings.folder)
        rejected += files.rejected
        images |= {name: (path, folder) for name, path in files.images.items()}
    masks = _take_masks(images, settings, rejected)
    items: list[FileItem] = []
    for name, (path, folder) in images.items():
        mask = masks.pop(without_suffix(name), None)
        try:
            items.append(_item(path, folder, mask, classes.index(folder.name), settings))
        except Unusable as reason:
            rejected.append(Rejected(name, str(reason)))
    rejected += [Rejected(mask.name, "no image belongs to this mask") for mask in masks.values()]
    _require_images(images, classes, settings)
    require_distinct_keys(items, settings.folder)
    return RawMaterial(classes, items, rejected)


def _roots(settings: FoldersSource) -> list[tuple[Path, Split | None]]:
    if not settings.split_folders:
        return [(settings.folder, None)]
    present: list[Split] = [split for split in SPLITS if (settings.folder / split).is_dir()]
    for split in NEEDED_SPLITS:
        if split not in present:
            raise UserError(f"source.folder: no folder {settings.folder / split}; add it or unset source.split_folders")
    others = [path.name for path in _folders_in(settings.folder) if path.name not in SPLITS]
    if others:
        raise UserError(f"{settings.folder}: {others[0]!a} is none of {', '.join(SPLITS)}; rename it or move it away")
    return [(settings.folder / split, split) for split in present]


def _class_folders(root: Path, split: Split | None) -> list[ClassFolder]:
    folders = _folders_in(root)
    if split is None and folders and {path.name for path in folders} <= set(SPLITS):
        raise UserError(f"{root}: its folders are splits, not classes; set source.split_folders=true")
    return [ClassFolder(path, path.name, split) for path in folders]


def _folders_in(root: Path) -> list[Path]:
    folders = [path for path in visible_entries(root) if path.is_dir()]
    for path in folders:
        if not path.name.isprintable():
            raise UserError(f"{root}: {path.name!a} holds characters that cannot be printed; rename the folder")
        if not stays_below(path, root):
            raise UserError(f"{path}: a link that leads out of {root}; copy the folder there or remove the link")
    return folders


def _classes(found: list[ClassFolder], settings: FoldersSource) -> tuple[str, ...]:
    names = sorted({folder.name for folder in found})
    if not names:
        raise UserError(f"source.folder: no class folder in {settings.folder}; set source.folder=FOLDER")
    unknown = [name for name in settings.classes or () if name not in names]
    if unknown:
        raise UserError(f"source.classes: no folder {', '.join(unknown)}; folders found: {', '.join(names[:20])}")
    return settings.classes or tuple(names)


def _take_masks(
    images: dict[str, tuple[Path, ClassFolder]], settings: FoldersSource, rejected: list[Rejected]
) -> dict[str, MaskFile]:
    """The masks by the key of their image; those that lie beside the images are taken out of `images`."""
    ending = settings.mask_suffix
    if settings.masks is None:
        names = [name for name in images if ending and without_suffix(name).endswith(ending)]
        files = {name: images.pop(name)[0] for name in names}
    else:
        require_folder("source.masks", settings.masks)
        if stays_below(settings.masks, settings.folder) or stays_below(settings.folder, settings.masks):
            raise UserError(f"source.masks: {settings.masks} and source.folder lie in one another; keep them apart")
        found = find_images(settings.masks, settings.masks)
        rejected += [Rejected(f"{settings.masks.name}/{entry.file}", entry.reason) for entry in found.rejected]
        files = found.images
    masks: dict[str, MaskFile] = {}
    for name, path in files.items():
        stem = without_suffix(name)
        shown = name if settings.masks is None else f"{settings.masks.name}/{name}"
        if not stem.endswith(ending):
            rejected.append(Rejected(shown, f"not a mask: its name does not end in {ending!r}"))
            continue
        other = masks.setdefault(stem.removesuffix(ending), MaskFile(path, shown))
        if other.path != path:
            raise UserError(
                f"{settings.masks or settings.folder}: {other.name} and {shown} are for one image; remove one"
            )
    return masks


def _item(path: Path, folder: ClassFolder, mask: MaskFile | None, label: int, settings: FoldersSource) -> FileItem:
    name = path.relative_to(settings.folder).as_posix()
    group = group_of(settings.group_pattern, path.relative_to(folder.path).as_posix())
    if mask is None and settings.has_masks:
        without_mask(settings.missing_mask, name)
    return FileItem(path, name, without_suffix(name), label, mask, group, folder.split)


def _require_images(
    images: dict[str, tuple[Path, ClassFolder]], classes: tuple[str, ...], settings: FoldersSource
) -> None:
    present = {folder.name for _, folder in images.values()}
    for name in classes:
        if name not in present:
            raise UserError(
                f"{settings.folder}: no image in the class folder {name!r}; remove it or set source.classes"
            )
