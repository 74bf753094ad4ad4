"""Settings of `distxml tune`: what is searched, how, for what, and at what cost."""

from distxml.config.sweep.parameter import Parameter
from distxml.config.sweep.sweep import SweepSettings

__all__ = ["Parameter", "SweepSettings"]
