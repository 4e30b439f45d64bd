"""What real programs publish: one recogniser in each module, and nobody outside knows a program by name."""
