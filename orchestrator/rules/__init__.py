"""Pure verbs over the model: decide, affected, order, narrow, windows. Same answer every time, no outside."""
