"""Addresses for the machines that run the portal."""

from django.urls import path

from deliveries.views.service import healthz, metrics, readyz

app_name = "service"
urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
