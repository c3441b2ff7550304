"""An adapter for three commands of your own: observe, apply, destroy."""
