"""Tasks: given to agents, followed, and what came of them."""
