"""
A third vendor, Toyphone, as somebody would add it: files of its own, and an entry for the list of vendors.

It is unlike both others: it calls numbers lines, has readable ids, shows all links in its one list, and lets an agent
dial out with one line.
"""

from __future__ import annotations

from airflow_provider_phonelink.vendors import Vendor, connection_field

TOYPHONE = Vendor(
    key="toyphone",
    name="Toyphone",
    docs_url="https://toyphone.example/docs",
    base_url="https://api.toyphone.example",
    hook=f"{__name__}.hook:ToyphoneHook",
    settings=f"{__name__}.settings:ToyphoneSettings",
    routing=f"{__name__}.routing:ROUTING",
    number_table=f"{__name__}.numbers:NUMBERS",
    modules={"operators": (f"{__name__}.operators",)},
    connection_fields={
        "tenant": connection_field("Tenant", "string", "Whose lines they are. Default: main."),
    },
)
