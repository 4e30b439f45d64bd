"""What is recorded, also as files: one process beside the recorder, so that no folder, however ill, holds it up."""
