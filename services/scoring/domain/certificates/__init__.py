"""Certificates (无传销社区、无传销镇区): states, evidence and its figures, the checklist, the random sample, due days."""
