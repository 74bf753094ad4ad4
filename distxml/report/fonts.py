"""Fonts of the figures: class names may be in any script."""

from matplotlib.font_manager import get_font_names

FIRST = "DejaVu Sans"
"""Comes with matplotlib: Latin, Greek, Cyrillic, Arabic, Hebrew."""
OTHER_SCRIPTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Hiragino Sans",
    "PingFang SC",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Arial Unicode MS",
)


def families() -> list[str]:
    """The first font, and those of the others that this machine has, for letters that it lacks."""
    installed = set(get_font_names())
    return [FIRST, *(name for name in OTHER_SCRIPTS if name in installed)]
