"""Two vote."""

from calling import post

post("/votes", question="New roof?", voter="ada", choice="yes")
post("/votes", question="New roof?", voter="grace", choice="no")
