"""Pictures: decoded and encoded anew, so that nothing but the pixels is left; and JPEG's markers taken off in place."""

import io
import warnings

from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from shared.kit.files.cleaner import KeptError, RefusedError

_MOST_PIXELS = 250_000_000
"""More is no photo; the largest telephone cameras make 200 million."""
_DECODED_PIXELS = 25_000_000
"""What is decoded at most; larger JPEG photos are read at half, a quarter or an eighth of their size."""

_FORMATS = {
    "image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP", "image/bmp": "BMP",
    "image/tiff": "TIFF",
}  # fmt: skip


def clean(media_type: str, data: bytes, mark: str = "") -> tuple[str, bytes]:
    """(media type, bytes) of the picture without EXIF, XMP, IPTC, ICC text, comments and thumbnails.

    It stands upright as its camera meant it. GIF, BMP and TIFF become PNG, of their first picture. `mark` is drawn
    over it again and again.
    """
    Image.MAX_IMAGE_PIXELS = None
    warnings.simplefilter("ignore")
    try:
        with Image.open(io.BytesIO(data), formats=[_FORMATS[media_type]]) as picture:
            pixels = picture.width * picture.height
            if pixels > _MOST_PIXELS:
                raise RefusedError("bomb")
            if pixels > _DECODED_PIXELS:
                _shrink(picture, media_type)
            picture.load()
            plain = _plain(ImageOps.exif_transpose(picture))
            return _written(media_type, _marked(plain, mark) if mark else plain)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise RefusedError("broken") from error


def _shrink(picture: Image.Image, media_type: str) -> None:
    if media_type == "image/jpeg":
        for divisor in (2, 4, 8):
            size = (picture.width // divisor, picture.height // divisor)
            if size[0] * size[1] <= _DECODED_PIXELS:
                picture.draft("RGB", size)
                return
    raise KeptError("too-large-to-clean")


def _plain(picture: Image.Image) -> Image.Image:
    clear = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    picture = picture.convert("RGBA" if clear else "L" if picture.mode in ("1", "L") else "RGB")
    picture.info = {}
    return picture


def _marked(picture: Image.Image, mark: str) -> Image.Image:
    picture = picture.convert("RGBA")
    size = max(10, picture.width // 28)
    font = ImageFont.load_default(size)
    layer = Image.new("RGBA", picture.size)
    draw = ImageDraw.Draw(layer)
    step = int(draw.textlength(mark, font)) + 2 * size
    for row, top in enumerate(range(size, picture.height, max(4 * size, picture.height // 8))):
        for left in range(-(row % 3) * step // 3, picture.width, step):
            draw.text((left, top), mark, (255, 255, 255, 110), font, stroke_width=1, stroke_fill=(0, 0, 0, 110))
    picture.alpha_composite(layer)
    return picture


def _written(media_type: str, picture: Image.Image) -> tuple[str, bytes]:
    out = io.BytesIO()
    if media_type == "image/jpeg":
        picture.convert("RGB" if picture.mode == "RGBA" else picture.mode).save(out, "JPEG", quality=90)
    elif media_type == "image/webp":
        picture.save(out, "WEBP", quality=88)
    else:
        media_type = "image/png"
        picture.save(out, "PNG")
    return media_type, out.getvalue()


def strip_jpeg(data: bytes) -> bytes:
    """A JPEG without its APPn (but JFIF and Adobe) and COM segments, its picture untouched; unreadable ones go as
    they came, for whoever decodes them to judge."""
    if data[:2] != b"\xff\xd8":
        return data
    out, at = [b"\xff\xd8"], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA or length < 2:
            break
        if not (marker == 0xFE or 0xE1 <= marker <= 0xED or marker == 0xEF):
            out.append(data[at : at + 2 + length])
        at += 2 + length
    return b"".join([*out, data[at:]])
