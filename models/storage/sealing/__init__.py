"""Closed segments written anew, small: layout 2. A process of its own writes the file, the recorder swaps it in."""
