"""What people do, whichever door they come through: each act checks, records and nudges; doors parse, ask and print."""
