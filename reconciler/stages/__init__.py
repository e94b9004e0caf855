"""The stages of a pass, in the order of a pass: recover, observe, mirror, and converge; `loop` runs them."""
