"""Dead letters at the console: which there are, what one says, and the way back for its record."""
