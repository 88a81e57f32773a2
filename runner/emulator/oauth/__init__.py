"""OAuth 2.0 as the org speaks it: authorize (with its pages), token, introspect, revoke, userinfo,
identity.
"""
