"""A fleet that does not exist, speaking our own contract: load for measurements, and life for a first look."""
