"""Typed, validated settings. Imports nothing heavy: no torch, no Ray."""

from distxml.config.dataset import DatasetRecipe
from distxml.config.load import load_settings, to_yaml, validate
from distxml.config.recipe import Recipe

__all__ = ["DatasetRecipe", "Recipe", "load_settings", "to_yaml", "validate"]
