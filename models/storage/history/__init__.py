"""Answers from the files of a workspace, read-only."""
