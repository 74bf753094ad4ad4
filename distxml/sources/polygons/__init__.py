"""The synthetic dataset: figures, layouts, drawing, export."""
