"""Whether an error of a decoder tells of the machine's memory, not of the file."""

import cv2


def memory_ran_out(error: BaseException) -> bool:
    """True for Python's own error, for OpenCV's, and for the OSError that Pillow makes of its decoders' lack of it."""
    if isinstance(error, cv2.error):
        return error.code == cv2.Error.StsNoMem
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and "out of memory" in str(error))
