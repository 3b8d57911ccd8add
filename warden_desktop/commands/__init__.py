"""What the terminal offers: one file a group of commands."""
