"""History read again: what is derived from stored messages, derived anew."""
