"""What is recorded: every byte of the state folder."""
