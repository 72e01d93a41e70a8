"""Casework's environment."""

from pathlib import Path

from shared.kit.files.settings import FileSettings


class Settings(FileSettings):
    """What casework needs beside the common settings."""

    service: str = "casework"
    procedures_dir: Path = Path(__file__).resolve().parents[2] / "deploy" / "procedures"
    documents_dir: Path = Path(__file__).resolve().parents[2] / "deploy" / "documents"
    fonts_dir: Path | None = None
    """A folder of fonts beside the system's, for PDF: 方正小标宋, 仿宋_GB2312 and what else the office has a licence for."""

    most_evidence_file_bytes: int = 2 * 1024 * 1024 * 1024
    """Bytes of one file of evidence: hours of a camera, or what was read out of a phone."""
    most_evidence_files: int = 500
    """Files of one item of evidence."""
    upload_patience_s: float = 3600.0
    most_copied_bytes: int = 100 * 1024 * 1024
    """Bytes of the largest file of which a working copy is made."""
    evidence_recheck_days: int = 30
    """How often every file of evidence is read again and compared with its hash."""
    evidence_recheck_bytes: int = 256 * 1024 * 1024
    """About how many bytes are read again in one round of the job."""
