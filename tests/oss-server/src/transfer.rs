//! File bytes on their way in and out, at the pace that a test asked for.

use crate::call::Call;
use crate::checksum::{Checksums, Sums};
use crate::disk::{Disk, NewBlob, Object};
use crate::rate_limiter::RateLimiter;
use crate::refusal::Refusal;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio::task::block_in_place;

/// How much is written or read at once.
const CHUNK: usize = 1024 * 1024;

/// Writes a request's body to a blob.
pub(crate) async fn receive(call: &mut Call<'_>, blob: &mut NewBlob) -> Result<Sums, Refusal> {
    let mut checksums = Checksums::new();
    let mut waiting = Vec::new();
    let mut size = 0;
    let mut corrupt = call.corrupt;
    while let Some(frame) = call.body.frame().await {
        let frame = frame.map_err(|error| Refusal::bad_request("IncompleteBody", error.to_string()))?;
        let Ok(mut bytes) = frame.into_data() else {
            continue;
        };
        call.rate_limiter.take(bytes.len()).await;
        if corrupt && !bytes.is_empty() {
            bytes = with_another_last_byte(&bytes);
            corrupt = false;
        }
        size += bytes.len();
        waiting.push(bytes);
        if size >= CHUNK {
            block_in_place(|| write(&waiting, &mut checksums, blob))?;
            waiting.clear();
            size = 0;
        }
    }
    block_in_place(|| write(&waiting, &mut checksums, blob))?;
    Ok(checksums.finish())
}

fn write(chunks: &[Bytes], checksums: &mut Checksums, blob: &mut NewBlob) -> io::Result<()> {
    for chunk in chunks {
        checksums.update(chunk);
        blob.file.write_all(chunk)?;
    }
    Ok(())
}

fn with_another_last_byte(bytes: &Bytes) -> Bytes {
    let mut bytes = bytes.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    bytes.into()
}

/// A range of an object's bytes, read while it is sent.
pub(crate) struct ObjectBody {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
}

impl ObjectBody {
    pub(crate) fn new(
        disk: Arc<Disk>,
        object: Arc<Object>,
        range: Range<u64>,
        rate_limiter: Arc<RateLimiter>,
    ) -> Self {
        let (sender, chunks) = mpsc::channel(2);
        let left = range.end - range.start;
        tokio::spawn(async move {
            if let Err(error) = read(&disk, &object, range, &rate_limiter, &sender).await {
                // The receiver may be gone.
                let _ = sender.send(Err(error)).await;
            }
        });
        Self { chunks, left }
    }
}

async fn read(
    disk: &Disk,
    object: &Object,
    mut range: Range<u64>,
    rate_limiter: &RateLimiter,
    sender: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let mut start = 0;
    for piece in &object.pieces {
        let end = start + piece.size;
        if range.start < end && !range.is_empty() {
            let mut file = File::open(disk.blob(&piece.blob))?;
            file.seek(SeekFrom::Start(range.start - start))?;
            while range.start < end.min(range.end) {
                let left = end.min(range.end) - range.start;
                let mut chunk = vec![0; usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)];
                block_in_place(|| file.read_exact(&mut chunk))?;
                range.start += chunk.len() as u64;
                rate_limiter.take(chunk.len()).await;
                if sender.send(Ok(chunk.into())).await.is_err() {
                    return Ok(());
                }
            }
        }
        start = end;
    }
    Ok(())
}

impl Body for ObjectBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.chunks.poll_recv(context).map(|chunk| {
            chunk.map(|chunk| {
                let chunk = chunk?;
                self.left = self.left.saturating_sub(chunk.len() as u64);
                Ok(Frame::data(chunk))
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
