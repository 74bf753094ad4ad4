"""Horses and zebras of ImageNet."""
