//! Something between target and server that lets things go wrong, whatever is spoken.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How many bytes pass before one is changed: more than there are in front of a body.
const FLIP_AFTER: usize = 32 * 1024;

/// A running relay; it ends with the check.
pub(crate) struct Relay {
    pub(crate) port: u16,
    faults: Arc<Faults>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Faults {
    /// How many more bytes pass to the server until one is changed, and one more; 0 when none is.
    flip_in: AtomicUsize,
    /// Whether answers get lost.
    lose: AtomicUsize,
    /// All that was sent to the server.
    sent: Mutex<Vec<u8>>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    pub(crate) async fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let faults = Arc::<Faults>::default();
        let task = tokio::spawn(accept(listener, upstream, Arc::clone(&faults)));
        Self { port, faults, task }
    }

    /// Changes one byte of what is sent from now on, well after its beginning.
    pub(crate) fn change_a_byte(&self) {
        self.faults.flip_in.store(FLIP_AFTER + 1, Ordering::SeqCst);
    }

    /// Whether the byte was changed.
    pub(crate) fn has_changed(&self) -> bool {
        self.faults.flip_in.load(Ordering::SeqCst) == 0
    }

    /// From now on requests arrive, and what is answered does not.
    pub(crate) fn lose_answers(&self) {
        self.faults.lose.store(1, Ordering::SeqCst);
    }

    /// How many answers got lost.
    pub(crate) fn lost(&self) -> usize {
        self.faults.lose.load(Ordering::SeqCst).saturating_sub(1)
    }

    /// Whether these bytes were sent to the server.
    pub(crate) fn has_sent(&self, bytes: &str) -> bool {
        let sent = self.faults.sent.lock().unwrap();
        sent.windows(bytes.len()).any(|window| window == bytes.as_bytes())
    }
}

async fn accept(listener: TcpListener, upstream: u16, faults: Arc<Faults>) {
    while let Ok((client, _)) = listener.accept().await {
        let faults = Arc::clone(&faults);
        tokio::spawn(async move {
            let server = TcpStream::connect(("127.0.0.1", upstream)).await.unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            // Both ends are closed as soon as one is.
            tokio::select! {
                () = requests(from_client, to_server, &faults) => {}
                () = answers(from_server, to_client, &faults) => {}
            }
        });
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, faults: &Faults) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let bytes = &mut buffer[..length];
        let left = faults.flip_in.load(Ordering::SeqCst);
        if left > 0 {
            if left <= length {
                bytes[left - 1] ^= 1;
            }
            faults
                .flip_in
                .store(left.saturating_sub(length), Ordering::SeqCst);
        }
        faults.sent.lock().unwrap().extend_from_slice(bytes);
        if to.write_all(bytes).await.is_err() {
            break;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, faults: &Faults) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if faults.lose.load(Ordering::SeqCst) > 0 {
            faults.lose.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
}
