"""What happens: the bus and the workers that answer facts with further facts. No toolkit, no HTTP, no disk."""
