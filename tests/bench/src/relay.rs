//! A relay in front of a store: it lets each connection carry only so much, as a long way does, or counts what is asked.

use anyhow::Result;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// So much is passed on at once.
const PIECE: usize = 16 * 1024;
/// For so long a connection may lie still and catch up: this machine may be busy with something else.
const SLACK: Duration = Duration::from_millis(250);

/// How often something was asked, and how long the answers took to begin, all in all.
pub(crate) type Counts = BTreeMap<String, (u64, Duration)>;

pub(crate) struct Relay {
    pub(crate) endpoint: String,
    counts: Arc<Mutex<Counts>>,
    task: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// In front of `endpoint`, an `http://` address. `rate` is what a connection carries to there in a second.
    pub(crate) async fn start(endpoint: &str, rate: Option<u64>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let upstream = endpoint.trim_start_matches("http://").to_owned();
        let counts = Arc::new(Mutex::new(Counts::new()));
        let task = tokio::spawn(accept(listener, upstream, rate, Arc::clone(&counts)));
        Ok(Self {
            endpoint: format!("http://{address}"),
            counts,
            task,
        })
    }

    pub(crate) fn counts(&self) -> Counts {
        lock(&self.counts).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, upstream: String, rate: Option<u64>, counts: Arc<Mutex<Counts>>) {
    while let Ok((client, _)) = listener.accept().await {
        let (upstream, counts) = (upstream.clone(), Arc::clone(&counts));
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(upstream).await else {
                return;
            };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let asked = Arc::new(Mutex::new(None));
            let up = pass_requests(from_client, to_server, rate, Arc::clone(&asked));
            let down = pass_answers(from_server, to_client, asked, counts);
            // Whichever side closes, both are closed. That is what ends a connection, and no error.
            tokio::select! { _ = up => {}, _ = down => {} }
        });
    }
}

/// What was asked last on a connection, and when.
type Asked = Arc<Mutex<Option<(String, Instant)>>>;

async fn pass_requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    rate: Option<u64>,
    asked: Asked,
) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut requests = Requests::default();
    let mut free = Instant::now();
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        if let Some(operation) = requests.see(&piece[..length]) {
            *lock(&asked) = Some((operation, Instant::now()));
        }
        if let Some(rate) = rate {
            // What was not used for longer is lost, as on a wire.
            let nanos = length as u64 * 1_000_000_000 / rate.max(1);
            let earliest = Instant::now().checked_sub(SLACK).unwrap_or(free);
            free = free.max(earliest) + Duration::from_nanos(nanos);
            tokio::time::sleep_until(free.into()).await;
        }
        to.write_all(&piece[..length]).await?;
    }
}

async fn pass_answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    asked: Asked,
    counts: Arc<Mutex<Counts>>,
) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        // "Go on, send it" is not the answer.
        if !piece.starts_with(b"HTTP/1.1 100 ")
            && let Some((operation, at)) = lock(&asked).take()
        {
            let mut counts = lock(&counts);
            let count = counts.entry(operation).or_default();
            count.0 += 1;
            count.1 += at.elapsed();
        }
        to.write_all(&piece[..length]).await?;
    }
}

/// Reads the requests of one connection as they pass by.
#[derive(Default)]
struct Requests {
    head: Vec<u8>,
    /// So many bytes of a body are still to come.
    body: u64,
}

impl Requests {
    /// Returns what is asked for when a request's head ends in this piece.
    fn see(&mut self, mut piece: &[u8]) -> Option<String> {
        let mut found = None;
        while !piece.is_empty() {
            if self.body > 0 {
                let skipped = usize::try_from(self.body).unwrap_or(usize::MAX).min(piece.len());
                self.body -= skipped as u64;
                piece = &piece[skipped..];
                continue;
            }
            let before = self.head.len();
            self.head.extend_from_slice(piece);
            let Some(end) = self.head.windows(4).position(|four| four == b"\r\n\r\n") else {
                break;
            };
            piece = &piece[end + 4 - before..];
            let head = String::from_utf8_lossy(&self.head[..end]).into_owned();
            self.head.clear();
            self.body = header(&head, "content-length")
                .and_then(|text| text.parse().ok())
                .unwrap_or(0);
            found = Some(operation(&head));
        }
        found
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// The operation's name in AWS's documentation, for those that are used here.
fn operation(head: &str) -> String {
    if let Some(target) = header(head, "x-amz-target") {
        return target.rsplit('.').next().unwrap_or(target).to_owned();
    }
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let of_bucket = path.trim_matches('/').split('/').count() < 2;
    match method {
        "POST" if has("uploads") => "CreateMultipartUpload",
        "POST" if has("uploadId") => "CompleteMultipartUpload",
        "GET" if has("uploads") => "ListMultipartUploads",
        "GET" if has("uploadId") => "ListParts",
        "GET" if of_bucket => "ListObjectsV2",
        "GET" => "GetObject",
        "HEAD" => "HeadObject",
        "PUT" if has("partNumber") => "UploadPart",
        "PUT" => "PutObject",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_seen_between_bodies() {
        let mut requests = Requests::default();
        let text = b"PUT /b/k?partNumber=1&uploadId=x HTTP/1.1\r\nContent-Length: 9\r\n\r\n";
        assert_eq!(requests.see(&text[..20]), None);
        assert_eq!(requests.see(&text[20..]), Some("UploadPart".to_owned()));
        assert_eq!(requests.see(b"GET / HT"), None);
        let rest = b"PPOST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\n\r\n";
        assert_eq!(requests.see(rest), Some("GetItem".to_owned()));
        assert_eq!(
            requests.see(b"GET /b/k HTTP/1.1\r\n\r\n"),
            Some("GetObject".to_owned())
        );
    }

    #[tokio::test]
    async fn a_connection_carries_only_so_much() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let reader = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            all.len()
        });
        let relay = Relay::start(&format!("http://{address}"), Some(1 << 20))
            .await
            .unwrap();
        let mut stream = TcpStream::connect(relay.endpoint.trim_start_matches("http://"))
            .await
            .unwrap();
        let began = Instant::now();
        stream.write_all(&vec![b'x'; 1 << 18]).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(reader.await.unwrap(), 1 << 18);
        assert!(
            began.elapsed() > Duration::from_millis(240),
            "{:?}",
            began.elapsed()
        );
    }
}
