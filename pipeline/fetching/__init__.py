"""What `ganworks fetch` brings, and from where."""
