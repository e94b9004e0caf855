"""The stages of a pass, in their order: recover, observe, mirror, converge. The module `loop` runs them."""
