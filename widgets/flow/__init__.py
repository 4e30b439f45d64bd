"""Flow: who talks to whom, how often, how fast, and what fails."""
