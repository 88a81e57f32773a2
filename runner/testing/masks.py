"""What must not stand in a file: secrets and the addresses of somebody's account, each replaced by a word."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from runner.auth.credentials import Credentials
from runner.auth.masking import Mask
from runner.auth.tokens import with_defaults
from runner.definitions.model import Provider
from runner.testing.stage import base_url_of, masked, placeholder

#: a shorter value may stand in a text by chance
_SHORTEST = 4


class Replacing:
    """Replaces what is secret or somebody's own in all texts of a value.

    The same stands for it in a test that is played back, so that the requests stay the same.
    """

    def __init__(self, provider: Provider, config: Mapping[str, object], credentials: Credentials) -> None:
        #: the config that stands in the file
        self.config = _config(provider, config)
        self._pairs = sorted(
            {**_addresses(provider, config, self.config), **_secrets(credentials)}.items(),
            key=lambda pair: (-len(pair[0]), pair),
        )
        self._mask = Mask(credentials.secrets())

    def text(self, text: str) -> str:
        for real, stand_in in self._pairs:
            text = text.replace(real, stand_in)
        return self._mask(text)

    def value(self, value: object) -> object:
        """A value of JSON with its texts and keys replaced."""
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(inner) for inner in value]
        return self.text(value) if isinstance(value, str) else value

    def is_secret(self, text: str) -> bool:
        """Whether there is something secret in a text."""
        return self._mask(text) != text


def _config(provider: Provider, config: Mapping[str, object]) -> dict[str, object]:
    """The config with words in the place of addresses and of what makes the API's host somebody's own."""
    full = with_defaults(provider, config)
    host = urlsplit(base_url_of(provider, full)).netloc
    found: dict[str, object] = {}
    for name, value in config.items():
        field = provider.connection_config.get(name)
        if field is not None and field.default == value:
            continue
        if isinstance(value, str) and "://" in value:
            # Of those that are the same, one word stands for all.
            found[name] = placeholder(min(key for key, other in config.items() if other == value))
        elif isinstance(value, str) and len(value) >= _SHORTEST and value in host:
            found[name] = name.replace("_", "-").lower()
        else:
            found[name] = value
    return found


def _addresses(
    provider: Provider, real: Mapping[str, object], stand_in: Mapping[str, object]
) -> dict[str, str]:
    """What stands in the place of each address, and of its host alone."""
    pairs = {
        str(real[name]): str(word)
        for name, word in stand_in.items()
        if isinstance(real[name], str) and "://" in str(real[name])
    }
    pairs[base_url_of(provider, real)] = base_url_of(provider, stand_in)
    found: dict[str, str] = {}
    for address, word in pairs.items():
        found[address.rstrip("/")] = word.rstrip("/")
        found[quote(address.rstrip("/"), safe="")] = quote(word.rstrip("/"), safe="")
        found[urlsplit(address).netloc] = urlsplit(word).netloc
    return {address: word for address, word in found.items() if len(address) >= _SHORTEST and address != word}


def _secrets(credentials: Credentials) -> dict[str, str]:
    named = {**credentials.values, "access_token": credentials.access_token}
    found: dict[str, str] = {}
    for name, value in named.items():
        if isinstance(value, str) and len(value) >= _SHORTEST:
            found[value] = masked(name)
            found[quote(value, safe="")] = masked(name)
    return found
