"""Plots over time. pyqtgraph is imported below this package only, and late: the first paint of the window does not pay."""
