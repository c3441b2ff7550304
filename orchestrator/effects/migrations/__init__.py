"""How the record's schema came to be, one page per change. Imported by Alembic only, for a record that is behind."""
