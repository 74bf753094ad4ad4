"""Augmentation: what is drawn for an image, and how OpenCV applies it."""

import os

# albumentations, which `opencv` imports, otherwise asks the network for its newest version at every import.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
