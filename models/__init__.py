"""What things are and how they are stored; no Qt here."""
