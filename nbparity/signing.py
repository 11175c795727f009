"""Signing a bundle with an ed25519 key, and checking that.

The signature is a DSSE envelope over the bytes of ``provenance.json``, made by securesystemslib. It
lies beside it as ``provenance.dsse.json`` and holds the public key, too, so that a signature that
does not fit is found by anyone. Whether the key is the one it should be only a key from elsewhere
can tell. Keys are PEM files: PKCS #8 without a password for signing, SubjectPublicKeyInfo for checking.
"""

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import atomic, layout
from .errors import BlockedError, NotIntactError, UsageError

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner, SSlibKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PUBLIC = "publicKey"  # our field of the envelope: the 32 bytes of the key, hexadecimal


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What is wrong with the signature of a bundle, and what else there is to say of it."""

    complaints: tuple[str, ...] = ()
    note: str = ""


def sign(bundle: Path, key_file: Path) -> str:
    """Sign the provenance of a bundle and return the id of the key.

    Signing again with the same key changes nothing. UsageError for a file that is no key, or if another key
    has signed; the bundle has to be verified by the caller.
    """
    _require_library()
    from securesystemslib.dsse import Envelope

    signer, path = _signer(key_file), bundle / layout.SIGNATURE
    envelope = Envelope((bundle / layout.PROVENANCE).read_bytes(), PAYLOAD_TYPE, {})
    signature = envelope.sign(signer)
    signature.unrecognized_fields[PUBLIC] = _raw(signer.public_key)
    text = _text(envelope)
    if path.exists():
        if path.read_text(encoding="utf-8", errors="replace") != text:
            raise UsageError(f"{path}: the bundle is signed with another key, expected an unsigned one")
        return signature.keyid
    # The unfinished file lies outside of the bundle, where it would be an extra one.
    atomic.write(path, text, scratch=bundle.absolute().parent)
    return signature.keyid


def check(bundle: Path, public_key_file: Path | None = None) -> Checked:
    """Check the signature of a bundle, against a key if one is given.

    BlockedError if there is a signature and the package that can check it is not installed; UsageError for a
    file that is no public key.
    """
    expected = None if public_key_file is None else _public_key(public_key_file)
    path = bundle / layout.SIGNATURE
    if not path.is_file() or path.is_symlink():
        if path.is_symlink() or path.exists():
            return Checked(complaints=(f"changed: {layout.SIGNATURE} is not a plain file",))
        if expected is not None:
            return Checked(complaints=(f"not signed: no {layout.SIGNATURE}, expected key {expected.keyid}",))
        return Checked(note="not signed")
    _require_library()
    try:
        signer = _checked_signer(path, (bundle / layout.PROVENANCE).read_bytes())
    except OSError as error:
        return Checked(complaints=(f"the signature is over a file that cannot be read: {error}",))
    except NotIntactError as error:
        return Checked(complaints=(f"wrong signature: {layout.SIGNATURE}: {error}",))
    if expected is None:
        return Checked(
            note=f"signed with key {signer.keyid}; whose key that is was not checked (--key PUBLIC_KEY)"
        )
    if signer.keyid != expected.keyid:
        return Checked(
            complaints=(f"wrong signature: made with key {signer.keyid}, expected {expected.keyid}",)
        )
    return Checked(note=f"signed with the key given, {signer.keyid}")


def _checked_signer(path: Path, payload: bytes) -> "SSlibKey":
    """Return the key that made the signature; NotIntactError if it did not."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError

    try:
        text = path.read_bytes().decode("utf-8")
        envelope = Envelope.from_dict(json.loads(text))
        (signature,) = envelope.signatures.values()
        key = _key_of_raw(signature.unrecognized_fields[PUBLIC])
        # The format leaves room for the same content in other bytes; one bundle has one text.
        if text != _text(envelope) or _raw(key) != signature.unrecognized_fields[PUBLIC]:
            raise NotIntactError("not as nbparity sign writes it")
        if (envelope.payload, envelope.payload_type) != (payload, PAYLOAD_TYPE):
            raise NotIntactError(f"the signature is not one over {layout.PROVENANCE}")
        envelope.verify([key], threshold=1)
    except VerificationError:
        raise NotIntactError("the signature does not fit the key and the provenance") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotIntactError(f"not a signed envelope: {type(error).__name__}: {error}") from None
    return key


def _text(envelope: "Envelope") -> str:
    return json.dumps(envelope.to_dict(), indent=1) + "\n"


def _signer(key_file: Path) -> "CryptoSigner":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    try:
        key = load_pem_private_key(_read_key(key_file), password=None)
    except (ValueError, TypeError) as error:
        wanted = "an ed25519 private key, PEM, PKCS #8, without a password"
        raise UsageError(f"{key_file}: {str(error).splitlines()[0]}; expected {wanted}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{key_file}: found {type(key).__name__}, expected an ed25519 private key")
    return CryptoSigner(key)


def _public_key(key_file: Path) -> "SSlibKey":
    _require_library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        key = load_pem_public_key(_read_key(key_file))
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{key_file}: {reason}; expected an ed25519 public key, PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{key_file}: found {type(key).__name__}, expected an ed25519 public key")
    return SSlibKey.from_crypto(key)


def _key_of_raw(text: str) -> "SSlibKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from securesystemslib.signer import SSlibKey

    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(text)))


def _raw(key: "SSlibKey") -> str:
    public: Any = key.keyval["public"]
    return str(public)


def _read_key(key_file: Path) -> bytes:
    try:
        return key_file.read_bytes()
    except OSError as error:
        raise UsageError(f"{key_file}: the key cannot be read: {error.strerror}") from None


def _require_library() -> None:
    if (
        importlib.util.find_spec("securesystemslib") is None
        or importlib.util.find_spec("cryptography") is None
    ):
        raise BlockedError(
            "package securesystemslib[crypto] is not installed: pip install 'securesystemslib[crypto]'"
        )
