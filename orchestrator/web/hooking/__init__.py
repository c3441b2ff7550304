"""What each provider of hooks says, and how it proves that it is the one who says it. Pure."""
