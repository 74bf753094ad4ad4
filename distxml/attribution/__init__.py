"""Heatmap methods behind one protocol."""
