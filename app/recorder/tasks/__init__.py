"""The orchestrator: tasks are given, followed and ended here, with no window open."""
