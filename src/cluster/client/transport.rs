//! One request, one answer, with limits. Nothing is repeated here but a request that was refused for an expired token.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, WARNING},
};
use http_body_util::BodyExt as _;
use kube::client::Body;
use tokio::time::{Instant, timeout};
use zeroize::Zeroizing;

use super::connect::{Cluster, Limits};
use super::credentials::Access;
use super::redact::Values;
use crate::cluster::errors::{ClusterError, ErrorKind, plain, sorted, unreadable};
use crate::cluster::resource::Action;

/// A request, as often as it is sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub method: Method,
    pub address: String,
    pub accept: &'static str,
    pub content_type: Option<&'static str>,
    pub body: Vec<u8>,
    pub action: Action,
}

impl Outgoing {
    pub fn get(address: String, action: Action) -> Self {
        Self { method: Method::GET, address, accept: "application/json", content_type: None, body: Vec::new(), action }
    }

    pub fn request(&self) -> Result<Request<Vec<u8>>, ClusterError> {
        let mut request = Request::builder().method(&self.method).uri(&self.address).header(ACCEPT, self.accept);
        if let Some(content_type) = self.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        request.body(self.body.clone()).map_err(|error| sorted(kube::Error::HttpError(error)))
    }
}

/// A complete answer with a status of success.
#[derive(Debug)]
pub struct Answer {
    pub body: Vec<u8>,
    /// The texts of the server's `Warning` headers.
    pub warnings: Vec<String>,
}

impl Cluster {
    /// Sends once and reads the whole answer; any status but success is an error.
    pub async fn exchange(&self, outgoing: &Outgoing, limits: Limits) -> Result<Answer, ClusterError> {
        let begun = Instant::now();
        // Boxed, since every command's future holds several of these.
        let answered = Box::pin(async {
            let request = outgoing.request()?.map(Bytes::from);
            let response = self.open(&request, limits.answer(&outgoing.method)).await?;
            let (parts, body) = response.into_parts();
            let left = limits.total.map(|total| total.saturating_sub(begun.elapsed()));
            let body = within(left, collected(body, limits.silence)).await?;
            let values = Values::sent(outgoing);
            if parts.status.is_success() {
                return Ok(Answer { body, warnings: warnings(&parts.headers, values.as_ref()) });
            }
            let said = values.as_ref().map(|values| values.take_out_of(&body));
            let said = said.as_ref().map_or(body.as_slice(), |said| said.as_slice());
            Err(ClusterError::from_answer(parts.status.as_u16(), retry_after(&parts.headers), said))
        });
        answered.await.map_err(|error| match (limits.total, error.kind()) {
            (Some(after), ErrorKind::Timeout { .. }) => {
                self.error(ClusterError::new(ErrorKind::Timeout { after }), outgoing)
            }
            _ => self.error(error, outgoing),
        })
    }

    /// A client for what kube does by itself (watch events, logs, port-forwards): every request gets this program's
    /// credentials, its line with `-v`, and this limit until the answer begins. An answer that refuses comes back as
    /// [`kube::Error::Service`] around a [`ClusterError`], which keeps what kube would drop (`Retry-After`).
    pub fn client(&self, limit: Option<Duration>) -> kube::Client {
        let cluster = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let cluster = cluster.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.map_err(sorted)?;
                let response = cluster.open(&Request::from_parts(parts, body), limit).await?;
                if response.status().is_success() || response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    return Ok(response);
                }
                let (parts, body) = response.into_parts();
                // A refusal is a short document; whoever does not finish it in time is not worth more waiting.
                let body = within(limit, collected(body, limit)).await.unwrap_or_default();
                Err(ClusterError::from_answer(parts.status.as_u16(), retry_after(&parts.headers), &body))
            }
        });
        kube::Client::new(service, self.namespace())
    }

    /// Sends and returns as soon as the answer begins. A 401 is answered once with renewed credentials, where there are
    /// any: whatever the request was, the server has not acted on it.
    async fn open(&self, request: &Request<Bytes>, limit: Option<Duration>) -> Result<Response<Body>, ClusterError> {
        let access = self.inner.credentials.current().await?;
        let response = send(request, &access, limit).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match self.inner.credentials.renewed(&access).await? {
            Some(renewed) => send(request, &renewed, limit).await,
            None => Ok(response),
        }
    }

    /// Gives an error its place and action.
    pub fn error(&self, error: ClusterError, outgoing: &Outgoing) -> ClusterError {
        error.at(&outgoing.action, &self.inner.place)
    }

    /// An answer whose body is not what it should be.
    pub fn unreadable(&self, outgoing: &Outgoing, error: &serde_json::Error) -> ClusterError {
        self.error(unreadable(error), outgoing)
    }
}

async fn send(
    request: &Request<Bytes>,
    access: &Access,
    limit: Option<Duration>,
) -> Result<Response<Body>, ClusterError> {
    let sent = request.clone().map(Body::from);
    let begun = Instant::now();
    let response = within(limit, async { access.client.send(sent).await.map_err(sorted) }).await;
    let took = begun.elapsed().as_millis();
    // An address holds names and a resourceVersion; bodies and headers are never told.
    let (method, address) = (request.method(), request.uri().to_string().replacen("?&", "?", 1));
    match &response {
        Ok(response) => tracing::info!("{method} {address} answered {} in {took} ms", response.status().as_u16()),
        Err(error) => tracing::info!("{method} {address} not answered, after {took} ms: {error}"),
    }
    response
}

/// The whole body, as long as its pieces are not further apart than this.
async fn collected(mut body: Body, silence: Option<Duration>) -> Result<Vec<u8>, ClusterError> {
    let mut collected = Vec::new();
    while let Some(frame) = within(silence, async { body.frame().await.transpose().map_err(sorted) }).await? {
        if let Ok(data) = frame.into_data() {
            collected.extend_from_slice(&data);
        }
    }
    Ok(collected)
}

async fn within<T>(
    limit: Option<Duration>,
    future: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, ClusterError> {
    match limit {
        Some(after) => {
            timeout(after, future).await.unwrap_or_else(|_| Err(ClusterError::new(ErrorKind::Timeout { after })))
        }
        None => future.await,
    }
}

/// `Retry-After` in seconds. The API server never sends the form with a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The API server's warnings: `299 - "text"`, RFC 7234 §5.5.
fn warnings(headers: &HeaderMap, values: Option<&Values>) -> Vec<String> {
    headers
        .get_all(WARNING)
        .iter()
        .filter_map(|value| {
            let text = value.to_str().ok()?.strip_prefix("299 ")?;
            let quoted = text[text.find('"')? + 1..].trim_end().strip_suffix('"')?;
            let text = Zeroizing::new(quoted.replace("\\\"", "\"").replace("\\\\", "\\"));
            Some(plain(&values.map_or_else(|| text.to_string(), |values| values.take_out(&text))))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn headers() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        headers.append(WARNING, HeaderValue::from_static("299 - \"unknown field \\\"spec.x\\\"\""));
        headers.append(WARNING, HeaderValue::from_static("110 - \"stale\""));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        assert_eq!(warnings(&headers, None), ["unknown field \"spec.x\""]);
    }
}
