"""How a call is made: build, authorise, send, classify, retry, decode, page."""
