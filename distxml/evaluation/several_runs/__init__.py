"""One procedure, trained several times with other seeds: what its evaluations say together."""
