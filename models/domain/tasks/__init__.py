"""Tasks that are delegated to agents: what is asked for, how it stands, who gets it, what comes of it. Pure."""
