"""What `terapi emulate` prints of its orgs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runner.emulator.org import Org
    from runner.emulator.server import Secure, Site

Told = dict[str, object]


def tell(sites: Sequence[Site], secure: Secure | None, as_json: bool) -> None:
    """Prints it at once, and JSON in one line even on a terminal: whoever started us waits for it."""
    import orjson

    if as_json:
        told = [_told(site.org, secure) | _key(site.org) for site in sites]
        click.echo(orjson.dumps(told[0] if len(told) == 1 else {"orgs": told}).decode())
    else:
        click.echo("\n".join(_welcome(site.org, _told(site.org, secure)) for site in sites))
    sys.stdout.flush()


def _told(org: Org, secure: Secure | None) -> Told:
    told: Told = {"name": org.options.name} if org.options.name else {}
    told |= {
        "url": org.url,
        "client_id": org.client.id,
        "client_secret": org.client.secret,
        "username": org.options.username,
        "password": org.password,
        "security_token": org.security_token,
        "control_token": org.control_token,
    }
    return told | _trust(secure) if secure is not None else told


def _key(org: Org) -> Told:
    return {"jwt_private_key": org.jwt_private_key() or None}


def _trust(secure: Secure) -> Told:
    from runner.emulator.server import port_of

    proxy = f"http://127.0.0.1:{port_of(secure.proxy)}"
    return {"ca_file": str(secure.certificates.authority), "https_proxy": proxy}


def _welcome(org: Org, told: Told) -> str:
    from runner.emulator import INTEGRATION

    shown = "\n".join(f"  {name.replace('_', ' '):<14} {value}" for name, value in told.items())
    integration = f"{INTEGRATION}-sandbox" if org.options.is_sandbox else INTEGRATION
    prefix = f"TERAPI_{integration.upper().replace('-', '_')}_CLIENT"
    connect = f"connect {integration} --connection {org.options.name or 'demo'} --allow-local --no-browser"
    return f"""An emulated org is ready; Ctrl-C ends it.

{shown}

Connect to it from another terminal:

  export {prefix}_ID={org.client.id}
  export {prefix}_SECRET={org.client.secret}
  terapi {connect} --config login_url={org.url}
"""
