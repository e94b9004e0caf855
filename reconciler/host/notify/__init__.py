"""Sends messages: by mail, by HTTP, and by the library apprise. No proxy is used, and everything has a time limit."""
