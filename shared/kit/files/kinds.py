"""Kinds of files, told by content: which can be looked into, why one cannot, and what a download is called."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaType:
    """A kind of file we take: how it is called for officers and in events, and the ending a download gets."""

    kind: str
    ending: str


OFFICE = "application/vnd.openxmlformats-officedocument"

TAKEN: Mapping[str, MediaType] = {
    "image/jpeg": MediaType("image", "jpg"),
    "image/png": MediaType("image", "png"),
    "image/gif": MediaType("image", "gif"),
    "image/webp": MediaType("image", "webp"),
    "image/bmp": MediaType("image", "bmp"),
    "image/tiff": MediaType("image", "tiff"),
    "image/heif": MediaType("image", "heic"),
    "audio/mpeg": MediaType("audio", "mp3"),
    "audio/mp4": MediaType("audio", "m4a"),
    "audio/wav": MediaType("audio", "wav"),
    "audio/ogg": MediaType("audio", "ogg"),
    "audio/flac": MediaType("audio", "flac"),
    "audio/amr": MediaType("audio", "amr"),
    "audio/aac": MediaType("audio", "aac"),
    "video/mp4": MediaType("video", "mp4"),
    "video/quicktime": MediaType("video", "mov"),
    "application/pdf": MediaType("document", "pdf"),
    f"{OFFICE}.wordprocessingml.document": MediaType("document", "docx"),
    f"{OFFICE}.spreadsheetml.sheet": MediaType("document", "xlsx"),
    f"{OFFICE}.presentationml.presentation": MediaType("document", "pptx"),
    "application/x-ole-storage": MediaType("document", "doc"),
    "text/plain": MediaType("document", "txt"),
}
"""What is taken, by its content's media type. Anything else is refused with a list of these."""

REFUSALS: Mapping[str, tuple[str, str]] = {
    "empty": ("文件是空的", "the file is empty"),
    "unknown-type": (
        "看不出是照片、录音、录像或文档；可用 JPG、PNG、MP3、M4A、MP4、PDF、DOCX、XLSX、TXT 等",
        "it is not a photo, recording, video or document we know; JPG, PNG, MP3, M4A, MP4, PDF, DOCX, XLSX, TXT will do",
    ),
    "archive": ("压缩包不能收，请解压后逐个上传", "archives are not taken; unpack it and send the files one by one"),
    "markup": ("网页或矢量图（HTML、SVG）可能带程序，请改用截图", "web pages and SVG can carry programs; send a picture of it instead"),
    "executable": ("这是程序文件，不能收", "this is a program"),
    "polyglot": ("文件里藏着另一种文件，不能收；请用截图或重新保存后再传", "another file hides in it; send a picture of it, or save it anew"),
    "active-content": ("文档里带有程序或附件，请另存为不带宏、脚本的文件或截图", "the document carries programs or attachments; save it without, or send a picture of it"),
    "bomb": ("文件展开后过大，不能收", "it would unfold to an enormous size"),
    "broken": ("文件不完整或已损坏，请重新保存后再传", "it is incomplete or damaged; save it anew and send it again"),
}  # fmt: skip
"""Why a file is refused, Chinese and English; the end of the sentence “not taken: …”."""

UNCLEANED: Mapping[str, tuple[str, str]] = {
    "no-cleaner": ("这种格式暂不能去除隐藏信息", "hidden data cannot be taken off this format"),
    "encrypted": ("文件有密码", "it is locked by a password"),
    "embedded": ("文档内嵌其他文件", "other files are embedded in it"),
    "too-large-to-clean": ("画面过大", "the picture is too large"),
    "cleaning-failed": ("清理程序未能完成", "cleaning it did not end well"),
    "infected": ("查出病毒", "a virus was found"),
}
"""Why a file that was taken has no copy to show."""
