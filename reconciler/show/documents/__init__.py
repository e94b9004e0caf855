"""Reports, canonicals and trials as JSON and JUnit XML."""
