"""Image files: checks, conversion, memory."""
