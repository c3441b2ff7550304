"""The only loops: watch (source to agenda) and work (one stack from due to rest)."""
