"""Syncs: files of `syncs/`, bound to the provider of an integration."""

from runner.definitions.build.sync.models import models_of
from runner.definitions.build.sync.whole import build_sync

__all__ = ["build_sync", "models_of"]
