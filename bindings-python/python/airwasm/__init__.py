"""WebAssembly components as supervised actors with permissions that can be taken back."""

from ._airwasm import *  # noqa: F403
from ._airwasm import __all__ as __all__
from ._airwasm import __version__ as __version__
