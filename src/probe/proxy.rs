//! A connection through a proxy.

use std::future::ready;
use std::io;

use ::http::{HeaderValue, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use tower::{BoxError, ServiceExt as _};

/// Asks a proxy, `http`, `https` or `socks5`, for a connection to a server. `stream` leads to the proxy itself; the user and
/// the password in its address are for it.
pub async fn through_proxy<S>(proxy: Uri, stream: S, server: Uri) -> Result<S, BoxError>
where
    S: Read + Write + Send + Unpin + 'static,
{
    let login = user_info(&proxy);
    // The libraries open the connection themselves where they can, and then do not tell why they could not.
    let mut stream = Some(stream);
    let open = tower::service_fn(move |_: Uri| {
        ready(stream.take().ok_or_else(|| io::Error::other("the proxy was asked twice")))
    });
    if proxy.scheme_str() == Some("socks5") {
        let mut socks = SocksV5::new(proxy, open);
        if let Some((user, password)) = login {
            socks = socks.with_auth(user, password);
        }
        return Ok(socks.oneshot(server).await?);
    }
    let mut tunnel = Tunnel::new(proxy, open);
    if let Some((user, password)) = login {
        let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        tunnel = tunnel.with_auth(HeaderValue::try_from(basic)?);
    }
    Ok(tunnel.oneshot(server).await?)
}

/// The address with the port that it stands for: a proxy's, or a server's.
pub fn with_port(address: &Uri) -> Result<Uri, BoxError> {
    let port = match address.scheme_str() {
        _ if address.port().is_some() => return Ok(address.clone()),
        Some("https") => 443,
        Some("socks5") => 1080,
        _ => 80,
    };
    let mut parts = address.clone().into_parts();
    parts.authority = match parts.authority {
        Some(authority) => Some(format!("{authority}:{port}").parse()?),
        None => None,
    };
    Ok(Uri::from_parts(parts)?)
}

/// User and password in a proxy's address, decoded.
fn user_info(proxy: &Uri) -> Option<(String, String)> {
    let (info, _) = proxy.authority()?.as_str().rsplit_once('@')?;
    let (user, password) = info.split_once(':').unwrap_or((info, ""));
    let decoded = |text: &str| {
        // A plus is a plus here.
        let pair = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
        form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    Some((decoded(user), decoded(password)))
}
