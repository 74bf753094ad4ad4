"""What may come in: every image is decoded, converted by a stated rule or left out with the reason."""
