"""Who is calling: authorisation flows, tokens, and the vault that keeps them."""
