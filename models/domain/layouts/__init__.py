"""Layouts of the Explore screen: which panels stand where, and what they show, by names. Pure data; any thread."""
