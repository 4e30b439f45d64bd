"""One figure of all agents as a map: a row for each agent, time from left to right, the value as a colour."""
