"""The embedded default: an app is what runs of its Procfile on this very host."""
