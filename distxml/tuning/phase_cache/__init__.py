"""Phases that trials have in common are trained once."""
