//! Requests with time limits. Reads are retried for at most ten seconds. Other requests are retried only after a 401, with
//! renewed credentials.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION, RETRY_AFTER, WARNING};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::time::{Instant, timeout};
use zeroize::Zeroizing;

use super::connect::{Cluster, Limits};
use super::credentials::Access;
use super::redact::Values;
use crate::cluster::errors::{ClusterError, ErrorKind, plain, sorted, unreadable};
use crate::cluster::resource::Action;

const TRIES: u32 = 4;
/// The time for all tries.
const TOTAL: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest `Retry-After` that is respected.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(4);

/// The pause before try number `next` (2 is the first retry), or `None` after the last try.
fn pause(next: u32, elapsed: Duration, retry_after: Option<Duration>, total: Duration) -> Option<Duration> {
    let own = FIRST_PAUSE * 3_u32.pow(next - 2);
    let pause = retry_after.map_or(own, |after| after.clamp(FIRST_PAUSE, LONGEST_RETRY_AFTER));
    (next <= TRIES && elapsed + pause < total).then_some(pause)
}

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

    fn request(&self) -> Result<Request<Vec<u8>>, ClusterError> {
        let mut request = Request::builder().method(&self.method).uri(&self.address).header(ACCEPT, self.accept);
        if let Some(content_type) = self.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        request.body(self.body.clone()).map_err(|error| sorted(kube::Error::HttpError(error)))
    }
}

#[derive(Debug)]
pub struct Reply {
    pub body: Vec<u8>,
    pub warnings: Vec<String>,
}

impl Cluster {
    /// Sends once, reads the whole response and parses it; any status but success is an error.
    pub async fn exchange<T>(
        &self,
        outgoing: &Outgoing,
        limits: Limits,
        read: impl Fn(&Reply) -> Result<T, serde_json::Error>,
    ) -> Result<T, ClusterError> {
        // Boxed, because every command's future contains several of these.
        let answered = Box::pin(within(limits.total, async {
            let values = Values::sent(&outgoing.action, &outgoing.body);
            let request = outgoing.request()?.map(Bytes::from);
            let response = self.begin(&request, limits.answer(&outgoing.method), values.as_ref()).await?;
            let warnings = warnings(response.headers(), values.as_ref());
            let reply = Reply { body: collected(response.into_body(), limits.silence).await?, warnings };
            read(&reply).map_err(|error| unreadable(&error, &reply.body))
        }));
        answered.await.map_err(|error| self.error(error, outgoing))
    }

    /// Sends a request that changes nothing, with retries, and parses the response. A response that can't be parsed is retried
    /// too.
    pub async fn ask_for<T>(
        &self,
        outgoing: &Outgoing,
        read: impl Fn(&Reply) -> Result<T, serde_json::Error>,
    ) -> Result<T, ClusterError> {
        let mut limits = self.limits;
        // --request-timeout also limits the retries.
        let total = limits.total.map_or(TOTAL, |total| total.min(TOTAL));
        let mut since = Instant::now();
        let mut last: Option<ClusterError> = None;
        for next in 2.. {
            let began = Instant::now();
            // The remaining time limits the wait for a response.
            let left = total.saturating_sub(since.elapsed()).max(Duration::from_secs(1));
            limits.read_answer = self.limits.read_answer.map(|own| own.min(left));
            let error = match self.exchange(outgoing, limits, &read).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            // The process or machine was suspended (a closed laptop, SIGSTOP): start the time again.
            if began.elapsed() > total + Duration::from_secs(5) && limits.read_answer.is_some() {
                since = Instant::now();
            }
            if !error.is_transient() {
                return Err(error);
            }
            let Some(pause) = pause(next, since.elapsed(), error.retry_after(), total) else {
                // The last try has little time; the error before its time-out says more.
                let timed_out = matches!(error.kind(), ErrorKind::Timeout { .. });
                return Err(last.filter(|_| timed_out).unwrap_or(error));
            };
            tracing::debug!(%error, ?pause, "retrying");
            tokio::time::sleep(pause).await;
            last = Some(error);
        }
        unreachable!("the tries are counted")
    }

    /// The events of a watch; error events are errors. kube drops an incomplete line at the end of a connection.
    pub async fn events(
        &self,
        outgoing: &Outgoing,
        limit: Duration,
    ) -> Result<impl Stream<Item = Result<WatchEvent<Value>, ClusterError>> + use<>, ClusterError> {
        let events = self.client(Some(limit)).request_events::<Value>(outgoing.request()?).await;
        let events = events.map_err(|error| self.error(sorted(error), outgoing))?;
        let (cluster, outgoing) = (self.clone(), outgoing.clone());
        Ok(events.map(move |event| {
            let event = event.and_then(|event| match event {
                WatchEvent::Error(status) => Err(kube::Error::Api(status)),
                event => Ok(event),
            });
            event.map_err(|error| cluster.error(sorted(error), &outgoing))
        }))
    }

    /// A client for kube's own operations: every request gets this program's credentials, a log line with `-v`, and this limit
    /// for the response headers. An error response becomes [`kube::Error::Service`] with a [`ClusterError`], which keeps
    /// `Retry-After`.
    pub fn client(&self, limit: Option<Duration>) -> kube::Client {
        let cluster = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let cluster = cluster.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.map_err(sorted)?;
                cluster.begin(&Request::from_parts(parts, body), limit, None).await
            }
        });
        kube::Client::new(service, &self.namespace)
    }

    /// Sends and returns as soon as a successful response begins. After a 401 it sends again with renewed credentials, if
    /// there are any: the server has not processed the request.
    pub async fn begin(
        &self,
        request: &Request<Bytes>,
        limit: Option<Duration>,
        values: Option<&Values>,
    ) -> Result<Response<Body>, ClusterError> {
        let access = self.credentials.current().await?;
        let mut response = send(request, &access, limit).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(renewed) = self.credentials.renewed(&access).await?
        {
            response = send(request, &renewed, limit).await?;
        }
        if response.status().is_success() || response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        // An error response is short.
        let mut body = within(limit, collected(body, limit)).await?;
        if let Some(values) = values {
            body = values.take_out_of(&body);
        }
        let code = parts.status.as_u16();
        let location = parts.headers.get(LOCATION).map(|location| location.to_str().unwrap_or_default());
        Err(ClusterError::by_another(code, location, &body)
            .unwrap_or_else(|| ClusterError::from_answer(code, retry_after(&parts.headers), &body)))
    }

    pub fn error(&self, error: ClusterError, outgoing: &Outgoing) -> ClusterError {
        error.at(&outgoing.action, &self.place)
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
    // The URL contains names and a resourceVersion; bodies and headers are never logged.
    let (method, address) = (request.method(), request.uri().to_string().replacen("?&", "?", 1));
    match &response {
        Ok(response) => tracing::info!("{method} {address} answered {} in {took} ms", response.status().as_u16()),
        Err(error) => tracing::info!("{method} {address} failed after {took} ms: {error}"),
    }
    response
}

/// Reads the whole body; `silence` limits the time between two parts.
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
    let Some(after) = limit else { return future.await };
    timeout(after, future).await.unwrap_or_else(|_| Err(ClusterError::new(ErrorKind::Timeout(after))))
}

/// `Retry-After` in seconds. The API server never sends a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The API server's warnings: `299 - "text"`, RFC 7234 §5.5.
fn warnings(headers: &HeaderMap, values: Option<&Values>) -> Vec<String> {
    let text = |value: &http::HeaderValue| {
        let text = value.to_str().ok()?.strip_prefix("299 ")?;
        let quoted = text[text.find('"')? + 1..].trim_end().strip_suffix('"')?;
        let text = Zeroizing::new(quoted.replace("\\\"", "\"").replace("\\\\", "\\"));
        Some(plain(&values.map_or_else(|| text.to_string(), |values| values.take_out(&text))))
    };
    headers.get_all(WARNING).iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn retry_after_and_warning_headers_are_parsed() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        headers.append(WARNING, HeaderValue::from_static("299 - \"unknown field \\\"spec.x\\\"\""));
        headers.append(WARNING, HeaderValue::from_static("110 - \"stale\""));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        assert_eq!(warnings(&headers, None), ["unknown field \"spec.x\""]);
    }

    #[test]
    fn pauses_grow_until_the_last_attempt() {
        let pauses: Vec<Option<Duration>> = (2..=5).map(|next| pause(next, Duration::ZERO, None, TOTAL)).collect();
        let millis = |millis| Some(Duration::from_millis(millis));
        assert_eq!(pauses, [millis(200), millis(600), millis(1800), None]);
    }

    #[test]
    fn retry_after_is_respected_up_to_a_limit_and_within_the_total_time() {
        let seconds = |seconds| Duration::from_secs(seconds);
        assert_eq!(pause(2, seconds(0), Some(seconds(2)), TOTAL), Some(seconds(2)));
        assert_eq!(pause(2, seconds(0), Some(seconds(600)), TOTAL), Some(seconds(4)));
        assert_eq!(pause(2, seconds(9), Some(seconds(2)), TOTAL), None);
        assert_eq!(pause(2, seconds(0), Some(seconds(0)), TOTAL), Some(Duration::from_millis(200)));
    }
}
