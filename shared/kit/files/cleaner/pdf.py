"""PDF: information and XMP taken off, photos within stripped; what acts by itself or carries files is refused."""

import io

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from shared.kit.files.cleaner import KeptError, RefusedError
from shared.kit.files.cleaner.images import strip_jpeg

_MOST_OBJECTS = 200_000
_ACTS = frozenset(
    {
        "/JavaScript",
        "/Launch",
        "/SubmitForm",
        "/ImportData",
        "/GoToE",
        "/Rendition",
        "/Movie",
        "/Sound",
        "/RichMediaExecute",
    }
)
_CARRIES = ("/JS", "/EF", "/EmbeddedFiles", "/RichMediaContent", "/XFA")
_TELLING = ("/Metadata", "/PieceInfo", "/LastModified", "/Thumb", "/OpenAction", "/AA", "/M", "/CreationDate")


def clean(data: bytes, mark: str = "") -> bytes:
    """The document without its information dictionary, XMP, thumbnails, authors of notes, and EXIF of its photos;
    `mark` stands at the head and the foot of each page."""
    try:
        with pikepdf.open(io.BytesIO(data), attempt_recovery=True) as pdf:
            if pdf.is_encrypted:
                raise KeptError("encrypted")
            if len(pdf.objects) > _MOST_OBJECTS:
                raise RefusedError("bomb")
            for found in pdf.objects:
                _check(found, 0)
            for found in pdf.objects:
                _strip(found)
            del pdf.docinfo
            for name in ("/Info", "/ID"):
                if name in pdf.trailer:
                    del pdf.trailer[name]
            if mark:
                _mark(pdf, mark)
            out = io.BytesIO()
            pdf.remove_unreferenced_resources()
            pdf.save(out, deterministic_id=True, fix_metadata_version=False)
            return out.getvalue()
    except pikepdf.PasswordError as error:
        raise KeptError("encrypted") from error
    except pikepdf.PdfError as error:
        raise RefusedError("broken") from error


def _mark(pdf: pikepdf.Pdf, mark: str) -> None:
    font = pdf.make_indirect(
        Dictionary(Type=Name("/Font"), Subtype=Name("/Type1"), BaseFont=Name("/Helvetica-Bold"))
    )
    for page in pdf.pages:
        left, bottom, _right, top = (float(edge) for edge in page.mediabox)
        name = page.add_resource(font, Name("/Font"))
        lines = "".join(f"1 0 0 1 {left + 24:.1f} {y:.1f} Tm ({mark}) Tj " for y in (bottom + 14, top - 22))
        page.contents_add(b"q", prepend=True)
        page.contents_add(f"Q q BT 0.55 g {name} 10 Tf {lines}ET Q".encode("ascii"))


def _check(found: object, depth: int) -> None:
    """Refuse active content; direct objects within are looked through too."""
    if depth > 30:
        raise RefusedError("bomb")
    if isinstance(found, (Dictionary, Stream)):
        if any(name in found for name in _CARRIES):
            raise RefusedError("active-content")
        for name, kinds in (
            ("/S", _ACTS),
            ("/Subtype", {"/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen"}),
            ("/Type", {"/EmbeddedFile"}),
        ):
            if name in found and isinstance(found[name], Name) and str(found[name]) in kinds:
                raise RefusedError("active-content")
        for name in found.keys():
            value = found[name]
            if isinstance(value, (Dictionary, Array)) and not value.is_indirect:
                _check(value, depth + 1)
    elif isinstance(found, Array):
        for value in found:
            if isinstance(value, (Dictionary, Array)) and not value.is_indirect:
                _check(value, depth + 1)


def _strip(found: object) -> None:
    if not isinstance(found, (Dictionary, Stream)):
        return
    for name in _TELLING:
        if name in found:
            del found[name]
    if "/Subtype" in found and "/Rect" in found and "/T" in found and str(found["/Subtype"]) != "/Widget":
        del found["/T"]
    if isinstance(found, Stream) and found.get("/Filter") == Name("/DCTDecode"):
        stripped = strip_jpeg(found.read_raw_bytes())
        found.write(stripped, filter=Name("/DCTDecode"), decode_parms=found.get("/DecodeParms"))
