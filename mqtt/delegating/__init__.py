"""How tasks are put to agents, and what they answer to us: one file for each convention."""
