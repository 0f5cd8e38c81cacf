"""Clear pictures out of degraded ones; what a redaction leaves; faces hidden for good.

The public names below are imported on first use, so ``import seethrough`` is quick and loads
none of NumPy, OpenCV, ONNX Runtime and PyAV. The verbs :func:`seethrough.restore`,
:func:`seethrough.redact` and :func:`seethrough.audit` live in ``seethrough.pipeline``; the modules
(``seethrough.degrade``, ``seethrough.geometry``, ...) bear other names than the verbs and are
imported as modules.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # typing's own is true for type checkers too, but takes long to import

__version__ = "0.1.0"

# Name -> the module that defines it. The one list of what is public.
_HOMES = {
    "Box": "types",
    "CoveredRegion": "types",
    "Face": "types",
    "InputError": "errors",
    "MissingPartError": "errors",
    "NothingToDoError": "errors",
    "Operator": "types",
    "OutputError": "errors",
    "Region": "types",
    "Restoration": "types",
    "SeeThroughError": "errors",
    "TextLine": "types",
    "UsageError": "errors",
    "VerificationError": "errors",
    "audit": "pipeline",
    "redact": "pipeline",
    "restore": "pipeline",
}

if TYPE_CHECKING:
    from seethrough.errors import InputError as InputError
    from seethrough.errors import MissingPartError as MissingPartError
    from seethrough.errors import NothingToDoError as NothingToDoError
    from seethrough.errors import OutputError as OutputError
    from seethrough.errors import SeeThroughError as SeeThroughError
    from seethrough.errors import UsageError as UsageError
    from seethrough.errors import VerificationError as VerificationError
    from seethrough.pipeline import audit as audit
    from seethrough.pipeline import redact as redact
    from seethrough.pipeline import restore as restore
    from seethrough.types import Box as Box
    from seethrough.types import CoveredRegion as CoveredRegion
    from seethrough.types import Face as Face
    from seethrough.types import Operator as Operator
    from seethrough.types import Region as Region
    from seethrough.types import Restoration as Restoration
    from seethrough.types import TextLine as TextLine

__all__ = [*sorted(_HOMES), "__version__"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
