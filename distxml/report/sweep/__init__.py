"""The sweep's report."""
