"""Authored printers, by key: invented copies of models that stand in offices, with their quirks."""

from itertools import chain

from tests.fakes.models import (
    brother,
    canon,
    epson,
    hp,
    konica_minolta,
    kyocera,
    lexmark,
    oki,
    others,
    ricoh,
    samsung,
    sharp,
    toshiba,
    xerox,
)
from tests.fakes.models.model import Model

MAKERS = (
    ricoh,
    hp,
    konica_minolta,
    canon,
    kyocera,
    xerox,
    lexmark,
    brother,
    epson,
    oki,
    sharp,
    samsung,
    toshiba,
    others,
)
MODELS: dict[str, Model] = {
    model.key: model for model in chain.from_iterable(maker.MODELS for maker in MAKERS)
}
PRINTERS: dict[str, Model] = {key: model for key, model in MODELS.items() if model.is_printer}
