"""The recorder process: reads the broker, writes the workspace, knows no Qt."""
