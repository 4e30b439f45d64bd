"""The fleet at a glance: who is there, how they are, what their last hour was like."""
