"""The window process: puts widgets, readers of the store and controllers together."""
