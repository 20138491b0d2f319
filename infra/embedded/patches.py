"""Replacing functions of another program's modules. A name that is not there stops it: another version fails loudly, not quietly."""

from __future__ import annotations

import functools


def require(owner, *names: str) -> None:
    """Stops unless `owner` has all of `names`."""
    missing = [name for name in names if not hasattr(owner, name)]
    if missing:
        raise SystemExit(f"this MiniStack's {owner.__name__} has no {missing[0]}: infra/embedded needs a look")


def replace(owner, name: str, make) -> None:
    """Replaces `owner.name` by `make(the original)`."""
    require(owner, name)
    original = getattr(owner, name)
    setattr(owner, name, functools.wraps(original)(make(original)))
