"""When things run: lanes of turns, one dispatcher, and the wiring of the whole operator."""
