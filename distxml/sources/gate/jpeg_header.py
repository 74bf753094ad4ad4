"""How a JPEG is coded, which decides who can read it. Source: ITU-T T.81, table B.1."""

COMMON_JPEG = (0xC0, 0xC1, 0xC2)
"""Baseline, extended sequential and progressive with Huffman codes: what GPU decoders read as well."""

FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
ALONE = frozenset([0x01, *range(0xD0, 0xD8)])
"""Markers without a length behind them."""


def jpeg_process(content: bytes) -> int | None:
    """The marker of the frame header (0xC0 is baseline); None where there is none."""
    place = 2  # behind the marker that starts the file
    while place + 4 <= len(content):
        if content[place] != 0xFF:
            return None
        marker = content[place + 1]
        if marker in FRAME_HEADERS:
            return marker
        if marker == 0xFF:  # filling
            place += 1
        elif marker in ALONE:
            place += 2
        else:
            place += 2 + int.from_bytes(content[place + 2 : place + 4])
    return None
