"""What a segment file holds, byte by byte, and how it is opened."""
