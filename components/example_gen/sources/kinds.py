"""What a file is, by its name and its first bytes: an image, or something that lies beside images."""

import posixpath

HEAD_BYTES = 16
"""First bytes of a file that `looks_like_image` needs."""

IMAGE_ENDINGS = (
    *(".apng", ".avif", ".avifs", ".bmp", ".dib", ".gif", ".heic", ".heif", ".ico", ".j2k", ".jfif", ".jp2", ".jpe"),
    *(".jpeg", ".jpf", ".jpg", ".jpx", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".psd", ".svg", ".tga", ".tif"),
    *(".tiff", ".webp"),
)
"""Endings by which a file claims to be an image, whether Pillow can read it or not."""

OTHER_ENDINGS = (
    *(".cfg", ".csv", ".db", ".htm", ".html", ".ini", ".json", ".jsonl", ".log", ".md", ".parquet", ".pdf", ".py"),
    *(".pyc", ".rst", ".toml", ".tsv", ".txt", ".url", ".xml", ".yaml", ".yml"),
)
"""Endings of text and records; no look at the content is needed."""

JUNK_FOLDERS = ("__macosx", "$recycle.bin", "system volume information", "@eadir", "__pycache__", "lost+found")
"""Folders that systems put beside a user's files, in lower case."""

MAGIC = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
    b"8BPS\0\1",
    b"\0\0\0\x0cjP  ",
)
"""First bytes of image formats, where the format has some that are long enough to mean it."""

ISO_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC", b"mif1": "HEIC", b"avif": "AVIF", b"avis": "AVIF"}


def iso_format(head: bytes) -> str | None:
    """HEIC or AVIF, where a file of the ISO base media format says that it is one."""
    return ISO_BRANDS.get(head[8:12]) if head[4:8] == b"ftyp" else None


def looks_like_image(head: bytes) -> bool:
    """True where the first HEAD_BYTES of a file are those of an image format."""
    riff = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    # BMP has two letters alone; the four bytes that it reserves are 0
    bitmap = head[:2] == b"BM" and head[6:10] == bytes(4)
    return head.startswith(MAGIC) or riff or bitmap or iso_format(head) is not None


def claims_by_name(name: str) -> bool | None:
    """Tells by a file's name whether it is an image; None where its content has to be asked.

    Args:
        name: of the file, with or without its folders.
    """
    ending = posixpath.splitext(name)[1].lower()
    if ending in IMAGE_ENDINGS:
        return True
    return False if ending in OTHER_ENDINGS else None


def hidden(name: str) -> bool:
    """True for a file or folder that is nobody's image or class: hidden, or put there by a system."""
    return name.startswith(".") or name.lower() in JUNK_FOLDERS


def hidden_part(path: str) -> str | None:
    """The path up to its first hidden folder or file; None where there is none."""
    parts = path.split("/")
    return next(("/".join(parts[: i + 1]) for i, part in enumerate(parts) if hidden(part)), None)
