"""The one writer: commits, what follows them, imports, what a crash left."""
