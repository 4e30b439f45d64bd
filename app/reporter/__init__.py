"""Reports of this computer as agents: its own figures, its busiest processes, and log files it follows."""
