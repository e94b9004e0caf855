"""Deploys a stack, reads its health, stops and starts its services, and removes it."""
