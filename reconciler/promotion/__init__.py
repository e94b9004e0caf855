"""Makes what was tested the canonical, keeps it running where that is declared, and looks after its generations."""
