"""What an image file passes before it is in: decoded, converted by a stated rule, or refused with the reason."""
