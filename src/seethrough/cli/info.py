"""The command ``info``."""

from __future__ import annotations

from seethrough.cli.options import SharedOptions


def info(*, shared: SharedOptions) -> int:
    """Print the version, what it runs on, and the weights with their checksums and licences.

    \b
    Examples:
      seethrough info
      seethrough info --json -
    """  # noqa: D301 - \b keeps the lines below it as they are
    voice = shared.voice
    from seethrough.cli.work import inform

    options = {"device": shared.device, "threads": shared.threads, "seed": shared.seed}
    return inform(options, shared.json, voice)
