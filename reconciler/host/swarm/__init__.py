"""Docker Swarm: a recipe is a stack in Co-op Cloud's format, deployed and looked at by Docker's own command."""
