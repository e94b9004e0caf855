"""The swarm and abra drivers: deploy a Co-op Cloud recipe as a stack of Docker Swarm."""
