"""The commands of the terminal; no Qt here."""
