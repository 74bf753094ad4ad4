"""What is computed for one image: its records, by which plan."""
