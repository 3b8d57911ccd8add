"""What is true: events, incidents, verdicts, actions and policy. Pydantic and the standard library only."""
