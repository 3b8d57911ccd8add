"""What the analyst sees. No await, no disk, no network in here."""
