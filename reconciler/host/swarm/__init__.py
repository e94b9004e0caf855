"""The swarm driver and the abra driver: both deploy a Co-op Cloud recipe as a stack of Docker Swarm."""
