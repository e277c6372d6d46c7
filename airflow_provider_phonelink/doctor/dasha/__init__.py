"""What the doctor looks at in an organisation at Dasha BlackBox."""

from __future__ import annotations

from airflow_provider_phonelink.doctor.dasha.findings import findings
from airflow_provider_phonelink.doctor.dasha.readings import read
from airflow_provider_phonelink.doctor.examination import Examination

EXAMINATION = Examination(read=read, findings=findings)
