"""The process driver: runs the lines of a Procfile as processes of this host."""
