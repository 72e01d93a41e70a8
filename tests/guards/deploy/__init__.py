"""Checks of what runs outside ./dachuan: image, compose, Kubernetes, ingress, monitoring, and the pages for operators."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
SERVICES = {"notify": 8400, "intake": 8401, "casework": 8402, "scoring": 8403}
"""The four services and the port each listens on in its container."""
