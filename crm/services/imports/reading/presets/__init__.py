"""Presets: mappings of files that known programs write, found by the set of their columns."""

from crm.services.imports.reading.presets.openphone import OPENPHONE
from crm.services.imports.reading.presets.own_export import OWN_EXPORT
from crm.services.imports.reading.presets.plain import PLAIN
from crm.services.imports.reading.presets.preset import Preset
from crm.services.imports.reading.presets.propertyradar import PROPERTYRADAR
from crm.services.imports.reading.presets.skip_trace import SKIP_TRACE

# The more columns a preset asks for, the earlier it stands.
PRESETS: dict[str, Preset] = {
    preset.name: preset for preset in (PROPERTYRADAR, SKIP_TRACE, OWN_EXPORT, OPENPHONE, PLAIN)
}
