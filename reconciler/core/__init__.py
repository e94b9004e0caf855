"""Decides: values in, values out; touches nothing."""
