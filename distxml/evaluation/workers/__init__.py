"""Who computes it: actors, their tasks, and the journal of finished rows."""
