//! Uploads and downloads: parallel, verified, resumable, in constant memory.
//!
//! Both engines keep no state but what the store (uploads) or the disk (downloads) has, so dropping their
//! futures at any point, a crash, or a killed process costs the parts in flight and nothing else. They never
//! abort an upload: whatever was sent is there for the next try.

mod begin;
mod blocking;
mod download;
mod error;
mod fetch;
mod hash;
mod journal;
mod open;
mod options;
mod origin;
mod part_file;
mod plan;
mod proof;
mod send;
mod source;
mod store;
mod stream;
mod upload;

pub use blocking::work_in_place;
pub use download::{DownloadRequest, Downloaded, download};
pub use error::{Ends, TransferError};
pub use open::OpenUploads;
pub use options::{Observer, Options, TransferEvent};
pub use source::uploadable;
pub use stream::{Output, stream};
pub use upload::{How, UploadRequest, Uploaded, upload, upload_among};
