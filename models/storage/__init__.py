"""The only place that knows the schema of the workspace's files."""
