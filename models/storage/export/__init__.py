"""The datasets of the outward contract, streamed out."""
