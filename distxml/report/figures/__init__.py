"""Figures of the report, and their export."""
