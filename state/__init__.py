"""What is recorded: everything that is written to the state folder."""
