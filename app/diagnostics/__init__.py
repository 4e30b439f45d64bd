"""A file for reports: what the program is and did, without secrets. Knows no Qt."""
