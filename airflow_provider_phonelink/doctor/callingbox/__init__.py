"""What the doctor looks at in an organisation at CallingBox."""

from __future__ import annotations

from airflow_provider_phonelink.doctor.callingbox.findings import findings
from airflow_provider_phonelink.doctor.callingbox.readings import read
from airflow_provider_phonelink.doctor.examination import Examination

EXAMINATION = Examination(read=read, findings=findings)
