"""The command line: asks the engine, prints what the record says. No logic of its own."""
