"""What people write down: read, checked with line and column, laid over, resolved."""
