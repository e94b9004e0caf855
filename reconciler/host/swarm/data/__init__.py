"""The data of a stack: its volumes, and its backup by the labels of backupbot."""
