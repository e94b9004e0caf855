"""Pure decisions: functions that take values and return values, and neither read nor change anything else."""
