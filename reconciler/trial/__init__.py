"""A cold test of one recipe at one commit: what it is told to try, its tiers, and the slots that these share."""
