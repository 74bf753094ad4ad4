"""Augmentation: the random draw, the geometry, and OpenCV carrying it out."""
