"""Sphinx's configuration; built by ``make docs``, without network."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

# Airflow makes its home when it is imported: not in the home of whoever builds this.
os.environ["AIRFLOW_HOME"] = str(Path(__file__).parents[1] / "build" / "airflow-home")
sys.path.insert(0, str(Path(__file__).parent))  # for `directives`

# All models are made before autodoc looks at the first of them: it leaves annotations behind on pydantic's base class.
from airflow_provider_phonelink import __version__
from airflow_provider_phonelink.sandbox.world import stand_ins
from airflow_provider_phonelink.vendors import VENDORS

_ = (
    [import_module(f"{vendor.settings.rpartition('.')[0]}.models") for vendor in VENDORS],
    [vendor.endpoints for vendor in stand_ins().values()],
)  # which are loaded when first used

project = "airflow-provider-phonelink"
author = "the authors of airflow-provider-phonelink"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "directives"]
default_role = "code"  # what single backticks mean in docstrings
exclude_patterns = ["examples"]

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
# What is not ours is not described here, and is not looked up elsewhere. What is ours must be there.
nitpick_ignore_regex = [("py:.*", r"(?!airflow_provider_phonelink\.).*")]
nitpick_ignore = [
    ("py:class", "airflow_provider_phonelink.hooks.vendor.SettingsT"),
    ("py:mod", "airflow_provider_phonelink.promises"),  # not public
]

html_theme = "furo"
html_title = f"phonelink {release}"
html_static_path = ["static"]
html_css_files = ["phonelink.css"]
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False
copybutton_exclude = ".linenos, .gp"
