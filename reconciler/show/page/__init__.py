"""The page of `reconcile report`: one HTML file that needs nothing beside it."""
