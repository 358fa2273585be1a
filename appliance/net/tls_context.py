"""What the Plug's HTTPS clients do alike: whom they trust, how they greet a proxy, who they are."""

import base64
import ssl

from appliance import __version__

USER_AGENT = f"PrintMonitor-Plug/{__version__}"


def trusting(ca_file: str = "") -> ssl.SSLContext:
    """TLS 1.2 or later with servers that these authorities vouch for; "" is the system's.

    Raises OSError, ValueError where the file cannot be used.
    """
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def proxy_headers(username: str, password: str) -> dict[str, str] | None:
    """Basic authentication (RFC 7617) with a proxy; None without a name."""
    if not username:
        return None
    return {"Proxy-Authorization": f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"}
