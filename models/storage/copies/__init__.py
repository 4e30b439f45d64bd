"""Backups, other workspaces, damaged files: checked, brought back, brought in."""
