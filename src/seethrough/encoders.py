"""Samples to the bytes of a file, marked as a reconstruction in every format.

The mark is written thrice, for people and for programs: as the format's plain description, as
EXIF ``ImageDescription`` and ``Software``, and as XMP with the IPTC digital source type
``compositeWithTrainedAlgorithmicMedia`` (IPTC Photo Metadata Standard 2023.2).
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

import seethrough
from seethrough.colour import to_eight_bits
from seethrough.exif_kept import DESCRIPTIVE, EXIF_IFD, GPS_IFD, HEIGHT, WIDTH

SOFTWARE = f"seethrough {seethrough.__version__}"

_DESCRIPTION, _SOFTWARE = 0x010E, 0x0131

_XMP = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   <xmp:CreatorTool>{software}</xmp:CreatorTool>{source}
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li></rdf:Alt>\
</dc:description>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""
_SOURCE = """
   <Iptc4xmpExt:DigitalSourceType>\
http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia\
</Iptc4xmpExt:DigitalSourceType>"""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a file says about itself.

    Attributes
    ----------
    description : str
        What was done, by which weights.
    reconstruction : bool
        Whether a trained network made a part of it.
    exif : bytes or None
        Tags of the original, from :func:`seethrough.exif_kept.descriptive_exif`.
    """

    description: str
    reconstruction: bool
    exif: bytes | None = None

    @property
    def xmp(self) -> bytes:
        """The XMP packet, UTF-8."""
        return _XMP.format(
            software=escape(SOFTWARE),
            source=_SOURCE if self.reconstruction else "",
            description=escape(self.description),
        ).encode()

    def exif_of(self, width: int, height: int) -> PIL.Image.Exif:
        """Return the EXIF tags for a picture of this size in pixels."""
        exif = PIL.Image.Exif()
        if self.exif is not None:
            exif.load(self.exif)
            details = exif.get_ifd(EXIF_IFD)
            if WIDTH in details or HEIGHT in details:
                details.update({WIDTH: width, HEIGHT: height})
        exif[_DESCRIPTION] = self.description
        exif[_SOFTWARE] = SOFTWARE
        return exif


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What an encoder gets.

    Attributes
    ----------
    samples : ndarray
        ``uint8`` or ``uint16``, ``(H, W)`` grey or ``(H, W, 3)`` RGB.
    alpha : ndarray or None
        ``(H, W)``, same dtype, not premultiplied.
    profile : bytes or None
        ICC profile of the samples.
    mark : Mark
        What the file says about itself.
    """

    samples: npt.NDArray[Any]
    alpha: npt.NDArray[Any] | None
    profile: bytes | None
    mark: Mark

    @property
    def exif(self) -> PIL.Image.Exif:
        """The EXIF tags to write."""
        height, width = self.samples.shape[:2]
        return self.mark.exif_of(width, height)


@dataclass(frozen=True, slots=True)
class Encoder:
    """A format: how to encode a frame, and the longest side in pixels that it can hold."""

    encode: Callable[[Frame], bytes]
    longest_side: int


def encode_png(frame: Frame) -> bytes:
    """Encode losslessly at the frame's depth; 16-bit grey with alpha becomes RGB with alpha."""
    samples = frame.samples
    if samples.ndim == 2 and samples.dtype == np.uint8 and frame.alpha is not None:
        out = io.BytesIO()  # OpenCV has no grey with alpha
        PIL.Image.fromarray(np.dstack([samples, frame.alpha])).save(out, "PNG")
        data = out.getvalue()
    else:
        channels = _channels(frame)
        order = [2, 1, 0, 3][: channels.shape[2]] if channels.shape[2] > 1 else [0]
        done, encoded = cv2.imencode(".png", np.ascontiguousarray(channels[..., order]))
        if not done:
            raise OSError("OpenCV's PNG encoder failed")
        data = encoded.tobytes()
    header = 8 + 25  # the signature and the IHDR chunk; ours go behind it
    chunks = [
        _chunk(b"tEXt", b"Description\0" + frame.mark.description.encode("latin-1", "replace")),
        _chunk(b"tEXt", b"Software\0" + SOFTWARE.encode("latin-1")),
        _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + frame.mark.xmp),
        _chunk(b"eXIf", frame.exif.tobytes().removeprefix(b"Exif\0\0")),
    ]
    if frame.profile is not None:
        chunks.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(frame.profile)))
    return b"".join([data[:header], *chunks, data[header:]])


def encode_tiff(frame: Frame) -> bytes:
    """Encode losslessly at the frame's depth; grey with alpha becomes RGB with alpha.

    One deflated strip of differences along rows. Written here because Pillow encodes colour at
    8 bits only and OpenCV takes no tags (TIFF 6.0, section 14 for the predictor; Adobe's TIFF
    technical note 3 for Deflate).
    """
    samples = _channels(frame)
    colours = samples.shape[2] - (frame.alpha is not None)
    height, width, channels = samples.shape
    differences = samples.copy()
    differences[:, 1:] -= samples[:, :-1]  # wraps around, as the predictor wants
    strip = zlib.compress(differences.astype(differences.dtype.newbyteorder("<")).tobytes(), 1)

    ifd = ImageFileDirectory_v2(prefix=b"II")
    exif = frame.exif
    for tag in (_DESCRIPTION, _SOFTWARE, *DESCRIPTIVE):
        if tag in exif:
            ifd[tag] = exif[tag]
    for ifd_tag in (EXIF_IFD, GPS_IFD):
        found = exif.get_ifd(ifd_tag)
        # TIFF gives its size in its own tags only.
        if kept := {k: v for k, v in found.items() if k not in (WIDTH, HEIGHT)}:
            ifd[ifd_tag] = kept
    ifd[256] = width
    ifd[257] = height
    ifd[258] = (8 * samples.dtype.itemsize,) * channels
    ifd[259] = 8  # compression: Deflate
    ifd[262] = 2 if colours == 3 else 1  # RGB, or black is zero
    ifd[273] = 0  # where the strip begins: behind the directory (Pillow adds its end)
    ifd[277] = channels
    ifd[278] = height  # rows of the strip
    ifd[279] = len(strip)
    ifd[317] = 2  # predictor: horizontal differences
    if frame.alpha is not None:
        ifd[338] = 2  # the extra sample is alpha, not premultiplied
    ifd[700] = frame.mark.xmp
    if frame.profile is not None:
        ifd[34675] = frame.profile
    out = io.BytesIO()
    ifd.save(out)
    return out.getvalue() + strip


def encode_jpeg(frame: Frame) -> bytes:
    """Encode at quality 95, 4:4:4; transparent parts go over white."""
    samples = to_eight_bits(frame.samples)
    if frame.alpha is not None:
        opacity = to_eight_bits(frame.alpha).astype(np.uint32)
        opacity = opacity if samples.ndim == 2 else opacity[..., None]
        samples = ((samples * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)
    return _by_pillow(frame, samples, "JPEG", quality=95, subsampling=0)


def encode_webp(frame: Frame) -> bytes:
    """Encode losslessly at 8 bits; grey becomes RGB."""
    samples = to_eight_bits(_channels(frame))
    if samples.shape[2] == 1:
        samples = np.repeat(samples, 3, axis=2)
    # For lossless files `quality` is effort: more saves little and takes several times as long.
    return _by_pillow(frame, samples, "WEBP", lossless=True, exact=True, quality=20, method=0)


ENCODERS = {
    ".jpeg": Encoder(encode_jpeg, 65_500),
    ".jpg": Encoder(encode_jpeg, 65_500),
    ".png": Encoder(encode_png, 1_000_000),
    ".tif": Encoder(encode_tiff, 1_000_000),
    ".tiff": Encoder(encode_tiff, 1_000_000),
    ".webp": Encoder(encode_webp, 16_383),
}


def _channels(frame: Frame) -> npt.NDArray[Any]:
    """Return ``(H, W, 1)`` grey, ``(H, W, 3)`` RGB or ``(H, W, 4)`` RGBA."""
    samples = frame.samples if frame.samples.ndim == 3 else frame.samples[..., None]
    if frame.alpha is None:
        return samples
    return np.dstack([np.broadcast_to(samples, (*frame.alpha.shape, 3)), frame.alpha])


def _by_pillow(frame: Frame, samples: npt.NDArray[np.uint8], kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(samples).save(
        out,
        kind,
        exif=frame.exif,
        icc_profile=frame.profile,
        xmp=frame.mark.xmp,
        **options,
    )
    return out.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))
