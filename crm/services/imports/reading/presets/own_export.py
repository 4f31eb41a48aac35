"""The product's own export of contacts, which is read back without a change."""

from crm.contact_labels import SEPARATOR
from crm.services.exports.headers import CREATED_AT, FLAGS, HEADERS, ID, OTHER_PHONES, TAGS
from crm.services.imports.reading.headers import key_of
from crm.services.imports.reading.mapping import OWN_EXPORT as NAME
from crm.services.imports.reading.presets.preset import Preset

_OTHERS = {OTHER_PHONES: "other_phones", TAGS: "tag", FLAGS: "flag"}


def _knows(keys: frozenset[str]) -> bool:
    return keys >= {key_of(header) for header in (HEADERS["phone"], *_OTHERS)}


OWN_EXPORT = Preset(
    name=NAME,
    label="Export of this product",
    knows=_knows,
    targets={key_of(header): target for target, header in HEADERS.items()}
    | {key_of(header): target for header, target in _OTHERS.items()},
    ignored=frozenset(map(key_of, (CREATED_AT, ID))),
    tag_separators=SEPARATOR,
)
