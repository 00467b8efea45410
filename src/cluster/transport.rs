//! One request, one answer, with limits. Nothing is repeated here but a request that was refused for an expired token.

use std::{sync::Arc, time::Duration};

use http::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, WARNING},
};
use http_body_util::BodyExt as _;
use kube::client::Body;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::{Zeroize as _, Zeroizing};

use super::{
    connect::Cluster,
    credentials::Access,
    errors::{ClusterError, ErrorKind},
    redact::Values,
    resource::Action,
    transport_errors::sorted,
};

/// How long things may take. `None` is no limit, which only `--request-timeout=0` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// TCP and TLS.
    pub(super) connect: Option<Duration>,
    /// From sending a read to the first of its answer.
    pub(super) read_answer: Option<Duration>,
    /// From sending a write to the first of its answer. Admission webhooks may take 30 s by the API's rules, and a
    /// write given up too early is a write whose outcome has to be found out.
    pub(super) write_answer: Option<Duration>,
    /// Between two pieces of an answer's body; a long list on a slow line takes its time as long as something comes.
    pub(super) silence: Option<Duration>,
    /// Everything together; only set by `--request-timeout`.
    pub(super) total: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        Self {
            connect: seconds(5),
            read_answer: seconds(10),
            write_answer: seconds(35),
            silence: seconds(10),
            total: None,
        }
    }
}

impl Limits {
    /// What `--request-timeout` asks for: one limit over everything, or none at all.
    pub(super) fn asked_for(limit: Option<Duration>) -> Self {
        match limit {
            Some(limit) => {
                Self { connect: Some(limit), read_answer: None, write_answer: None, silence: None, total: Some(limit) }
            }
            None => Self { connect: None, read_answer: None, write_answer: None, silence: None, total: None },
        }
    }

    fn answer(&self, method: &Method) -> Option<Duration> {
        let own = if *method == Method::GET { self.read_answer } else { self.write_answer };
        own.or(self.total)
    }
}

/// A request, as often as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    /// Path and query.
    pub(super) address: String,
    pub(super) accept: &'static str,
    pub(super) content_type: Option<&'static str>,
    pub(super) body: Vec<u8>,
    pub(super) action: Action,
}

/// The body may hold a Secret's values.
impl Drop for Outgoing {
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

impl Outgoing {
    pub(super) fn get(address: String, action: Action) -> Self {
        Self { method: Method::GET, address, accept: "application/json", content_type: None, body: Vec::new(), action }
    }
}

/// A complete answer with a status of success.
#[derive(Debug)]
pub(super) struct Answer {
    /// Overwritten afterwards: it may hold a Secret's values.
    pub(super) body: Zeroizing<Vec<u8>>,
    /// The texts of the server's `Warning` headers.
    pub(super) warnings: Vec<String>,
}

impl Cluster {
    /// Sends once and reads the whole answer; any status but success is an error.
    pub(super) async fn exchange(&self, outgoing: &Outgoing) -> Result<Answer, ClusterError> {
        self.exchange_within(outgoing, self.inner.limits).await
    }

    /// The same with limits of its own.
    pub(super) async fn exchange_within(&self, outgoing: &Outgoing, limits: Limits) -> Result<Answer, ClusterError> {
        let deadline = limits.total.map(|total| (Instant::now() + total, total));
        let response = self.open(outgoing, limits.answer(&outgoing.method)).await?;
        let (status, headers, mut body) = split(response);
        let mut collected = Zeroizing::new(Vec::new());
        loop {
            let frame = body.frame();
            let frame = match (deadline, limits.silence) {
                (Some((at, total)), _) => timeout_at(at, frame).await.map_err(|_| total),
                (None, Some(silence)) => timeout(silence, frame).await.map_err(|_| silence),
                (None, None) => Ok(frame.await),
            };
            match frame.map_err(|after| self.error(ClusterError::new(ErrorKind::Timeout { after }), outgoing))? {
                None => break,
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        collected.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Err(self.error(sorted(error), outgoing)),
            }
        }
        let values = Values::sent(outgoing);
        if !status.is_success() {
            let said = values.as_ref().map(|values| values.take_out_of(&collected));
            let said = said.as_ref().unwrap_or(&collected);
            return Err(self.error(ClusterError::from_answer(status.as_u16(), retry_after(&headers), said), outgoing));
        }
        Ok(Answer { body: collected, warnings: warnings(&headers, values.as_ref()) })
    }

    /// Sends and returns as soon as the answer begins. A 401 is answered once with renewed credentials, where there are
    /// any: whatever the request was, the server has not acted on it.
    pub(super) async fn open(
        &self,
        outgoing: &Outgoing,
        limit: Option<Duration>,
    ) -> Result<Response<Body>, ClusterError> {
        let access = self.inner.credentials.current().await.map_err(|error| self.error(error, outgoing))?;
        let response = self.send(outgoing, &access, limit).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match self.inner.credentials.renewed(&access).await.map_err(|error| self.error(error, outgoing))? {
            Some(renewed) => self.send(outgoing, &renewed, limit).await,
            None => Ok(response),
        }
    }

    async fn send(
        &self,
        outgoing: &Outgoing,
        access: &Access,
        limit: Option<Duration>,
    ) -> Result<Response<Body>, ClusterError> {
        let mut request =
            Request::builder().method(outgoing.method.clone()).uri(&outgoing.address).header(ACCEPT, outgoing.accept);
        if let Some(content_type) = outgoing.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let request = request
            .body(Body::from(outgoing.body.clone()))
            .map_err(|error| self.error(sorted(kube::Error::HttpError(error)), outgoing))?;
        let begun = Instant::now();
        let sent = access.client.send(request);
        let response = match limit {
            Some(limit) => timeout(limit, sent)
                .await
                .map_err(|_| self.error(ClusterError::new(ErrorKind::Timeout { after: limit }), outgoing))?,
            None => sent.await,
        };
        let response = response.map_err(|error| self.error(sorted(error), outgoing));
        let took = begun.elapsed().as_millis();
        let (method, address) = (&outgoing.method, &outgoing.address);
        // An address holds names and a resourceVersion; bodies and headers are never told.
        match &response {
            Ok(response) => tracing::info!("{method} {address} answered {} in {took} ms", response.status().as_u16()),
            Err(error) => tracing::info!("{method} {address} not answered, after {took} ms: {error}"),
        }
        response
    }

    /// Gives an error its place and action.
    pub(super) fn error(&self, error: ClusterError, outgoing: &Outgoing) -> ClusterError {
        error.at(&outgoing.action, &Arc::clone(&self.inner.place))
    }

    /// An answer whose body is not what it should be.
    pub(super) fn unreadable(&self, outgoing: &Outgoing, error: &serde_json::Error) -> ClusterError {
        // serde's own words may quote the document; the category and the place do not.
        let reason = if error.is_eof() {
            "it ends too early".to_owned()
        } else {
            format!("it is not the JSON that was expected (at byte {} of line {})", error.column(), error.line())
        };
        self.error(ClusterError::new(ErrorKind::Unreadable { reason }), outgoing)
    }
}

pub(super) fn split(response: Response<Body>) -> (StatusCode, HeaderMap, Body) {
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body)
}

/// `Retry-After` in seconds. The API server never sends the form with a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
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
            Some(super::errors::plain(&values.map_or_else(|| text.to_string(), |values| values.take_out(&text))))
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
